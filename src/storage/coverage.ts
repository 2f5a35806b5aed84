/** Which inputs have a complete archive, and what the others lack. */
import { isFinished } from '../manifest.js'
import type { StoredArchive, StoredInput } from './s3-io.js'

/** How far an input is. */
export interface Coverage {
  input: StoredInput
  /** `complete`: one archive holds it all. `sharded`: all shards of some n are there. */
  state: 'complete' | 'sharded' | 'incomplete' | 'none'
  /** Its archives, newer than the input. */
  archives: StoredArchive[]
  /** The most orthos of one archive. */
  orthoCount: number
}

/**
 * Each input with its archives, by name. An archive older than its input is of an earlier text, and does not count; nor does
 * one that holds the best only, unless no more than those are wanted.
 */
export function coverage(
  inputs: readonly StoredInput[],
  archives: readonly StoredArchive[],
  top?: number,
): Coverage[] {
  const byName = new Map<string, StoredArchive[]>()
  for (const archive of archives) {
    byName.set(archive.inputName, [...(byName.get(archive.inputName) ?? []), archive])
  }
  return inputs.map((input) => {
    const own = (byName.get(input.name) ?? []).filter(
      ({ modified, facts }) => modified >= input.modified && (top !== undefined || facts?.top === undefined),
    )
    const orthoCount = Math.max(0, ...own.map(({ facts }) => facts?.orthoCount ?? 0))
    return { input, state: stateOf(own, top), archives: own, orthoCount }
  })
}

function stateOf(archives: readonly StoredArchive[], top: number | undefined): Coverage['state'] {
  if (archives.length === 0) return 'none'
  if (archives.some(({ facts }) => facts?.complete)) return 'complete'
  if (
    top !== undefined &&
    archives.some(({ facts }) => facts && isFinished(facts) && (facts.top ?? 0) >= top)
  ) {
    return 'complete'
  }
  return [...shardCounts(archives)].some((count) => missingShards(archives, count).length === 0)
    ? 'sharded'
    : 'incomplete'
}

function shardCounts(archives: readonly StoredArchive[]): Set<number> {
  return new Set(finishedShards(archives).map((shard) => Number(shard.split('/')[1])))
}

function finishedShards(archives: readonly StoredArchive[]): string[] {
  return archives.flatMap(({ facts }) => (facts && isFinished(facts) ? facts.shards : []))
}

/** The shards `i/count` that no finished archive holds. */
export function missingShards(archives: readonly StoredArchive[], count: number): number[] {
  const held = new Set(finishedShards(archives))
  return Array.from({ length: count }, (_, i) => i + 1).filter((index) => !held.has(`${index}/${count}`))
}
