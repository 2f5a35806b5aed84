/**
 * Which archives are of one input, which of those are needed, and which contradict each other. Decided from manifests
 * alone: what is in the archives is the core's business.
 */
import { isWhole, topOf, type ArchiveSummary, type Ending } from '../manifest.js'
import { lineageNames } from './lineage.js'

/** A text, as archives name it. */
export interface InputId {
  name: string
  /** SHA-256 of its bytes, in hex; undefined where only the lineage tells of it. */
  sha256?: string | undefined
}

/** What is asked of an archive to group it. */
export type Groupable = Pick<ArchiveSummary, 'archive' | 'complete' | 'shards' | 'contentDigest'> &
  Ending & {
    input: { name: string; sha256: string } | null
  }

/** The archives of one text. */
export interface InputGroup<T extends Groupable = ArchiveSummary> {
  input: { name: string; sha256: string }
  /** What is to be merged to hold all that is known of the text: one archive if that one is complete. */
  archives: T[]
  /** Archives that add nothing: equal to one of those, or less than a complete one. */
  superfluous: T[]
  /** Whether the result will be complete. */
  complete: boolean
  /** Shards that would complete it, such as `["2/8"]`, where shards are all there is. */
  missingShards: string[]
}

/** Texts of different content under one name. */
export interface InputConflict {
  name: string
  /** By SHA-256 of the text. */
  texts: { sha256: string; archives: string[] }[]
}

/** What {@link groupByInput} found. */
export interface Grouping<T extends Groupable = ArchiveSummary> {
  /** One for each text (name and SHA-256), in ascending order of both. */
  groups: InputGroup<T>[]
  /** Archives of several texts, which belong to no group. */
  others: T[]
  /** Names that stand for different texts. */
  conflicts: InputConflict[]
}

/** The texts in an archive, as far as its manifest tells. */
export function inputsOf({ input, lineage }: ArchiveSummary): InputId[] {
  return input
    ? [{ name: input.name, sha256: input.sha256 }]
    : lineageNames(lineage).map((name) => ({ name }))
}

/**
 * Groups archives by the text that they are of, and chooses those that count. Reads and merges nothing.
 *
 * @example
 * ```ts
 * const { groups, conflicts } = groupByInput([a.summary, b.summary])
 * for (const { input, archives } of groups)
 *   await mergeArchives(archives.map(({ archive }) => archive), { out: `${input.name}.bin` })
 * ```
 */
export function groupByInput<T extends Groupable>(archives: readonly T[]): Grouping<T> {
  const groups = new Map<string, { input: InputGroup['input']; members: T[] }>()
  const others: T[] = []
  for (const archive of archives) {
    const { input } = archive
    if (!input) {
      others.push(archive)
      continue
    }
    const key = JSON.stringify([input.name, input.sha256])
    const group = groups.get(key) ?? { input: { name: input.name, sha256: input.sha256 }, members: [] }
    group.members.push(archive)
    groups.set(key, group)
  }
  const sorted = [...groups.values()].sort(
    (a, b) => order(a.input.name, b.input.name) || order(a.input.sha256, b.input.sha256),
  )
  return {
    groups: sorted.map(({ input, members }) => ({ input, ...reconcile(members) })),
    others,
    conflicts: conflictsOf(sorted),
  }
}

/**
 * Of archives of one text: a complete one is enough, or of archives of its optimum the one with the most of the best; else all
 * that differ, as their union is all that is known.
 */
function reconcile<T extends Groupable>(members: readonly T[]): Omit<InputGroup<T>, 'input'> {
  const complete = members.find((archive) => archive.complete) ?? optimum(members)
  const kept = complete ? [complete] : differing(members)
  const { whole, missing } = shardsOf(kept)
  return {
    archives: kept,
    superfluous: members.filter((archive) => !kept.includes(archive)),
    complete: complete !== undefined || whole,
    missingShards: complete || whole ? [] : missing,
  }
}

/** If all are of searches for the optimum: one that is whole and has the most of the best. */
function optimum<T extends Groupable>(members: readonly T[]): T | undefined {
  if (members.some((member) => topOf(member) === undefined)) return undefined
  const most = Math.max(...members.map((member) => topOf(member) ?? 0))
  return members.find((archive) => isWhole(archive) && topOf(archive) === most)
}

/** One of each content. Equal content with other shards says more, so those are kept. */
function differing<T extends Groupable>(members: readonly T[]): T[] {
  const seen = new Set<string>()
  return members.filter(({ contentDigest, shards }) => {
    const key = JSON.stringify([contentDigest, shards])
    return !seen.has(key) && seen.add(key)
  })
}

/** The most shards that a list of missing ones names. */
const MOST_NAMED = 10_000

/** Whether the shards cover all of some division, and else what the nearest division lacks. */
export function shardsOf(archives: readonly Pick<ArchiveSummary, 'shards'>[]): {
  whole: boolean
  missing: string[]
} {
  const found = new Map<number, Set<number>>()
  for (const shard of archives.flatMap(({ shards }) => shards)) {
    const [index, count] = shard.split('/').map(Number)
    if (!index || !count || index > count) continue
    found.set(count, (found.get(count) ?? new Set()).add(index))
  }
  let nearest: [number, Set<number>] | undefined
  for (const entry of found) {
    const [count, indices] = entry
    if (indices.size === count) return { whole: true, missing: [] }
    if (!nearest || count - indices.size < nearest[0] - nearest[1].size) nearest = entry
  }
  if (!nearest) return { whole: false, missing: [] }
  const [count, indices] = nearest
  const missing: string[] = []
  for (let i = 1; i <= count && missing.length < MOST_NAMED; i += 1)
    if (!indices.has(i)) missing.push(`${i}/${count}`)
  return { whole: false, missing }
}

function conflictsOf(
  groups: readonly { input: InputGroup['input']; members: readonly Groupable[] }[],
): InputConflict[] {
  const byName = new Map<string, InputConflict>()
  for (const { input, members } of groups) {
    const conflict = byName.get(input.name) ?? { name: input.name, texts: [] }
    conflict.texts.push({ sha256: input.sha256, archives: members.map(({ archive }) => archive) })
    byName.set(input.name, conflict)
  }
  return [...byName.values()].filter(({ texts }) => texts.length > 1)
}

/** Whether two lists of texts give one name to texts that are known to differ. */
export function contradict(a: readonly InputId[], b: readonly InputId[]): string | undefined {
  const known = new Map(a.map(({ name, sha256 }) => [name, sha256]))
  return b.find(({ name, sha256 }) => {
    const other = known.get(name)
    return other !== undefined && sha256 !== undefined && other !== sha256
  })?.name
}

/** The texts of both, each once. */
export function unite(lists: readonly (readonly InputId[])[]): InputId[] {
  const seen = new Map<string, InputId>()
  for (const { name, sha256 } of lists.flat()) {
    seen.set(JSON.stringify([name, sha256 ?? null]), { name, ...(sha256 !== undefined && { sha256 }) })
  }
  return [...seen.values()]
}

/** By code units: the same on every machine. */
export function order(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
