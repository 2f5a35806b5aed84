/**
 * The archives of a bucket that a merge needs, brought here: grouped by input and chosen by what they say of themselves,
 * so that only what is needed is downloaded.
 */
import { join } from 'node:path'
import { FoldError } from '../errors.js'
import { groupByInput } from '../merge/grouping.js'
import { locate } from './location.js'
import type { StorageWorld, StoredArchive } from './s3-io.js'
import type { Environment } from './settings.js'

/** Options of {@link resolveArchives}. */
export interface ResolveOptions {
  env: Environment
  world: StorageWorld
  /** Where the archives are unpacked: an empty directory of the caller's, who removes it. */
  directory: string
  signal?: AbortSignal | undefined
  /** Told now and then how many bytes of an archive have arrived, of how many. */
  onBytes?: ((key: string, done: number, total: number) => void) | undefined
}

/** An archive brought here. */
export interface ResolvedArchive {
  /** The archive directory. */
  path: string
  /** Where it came from. */
  url: string
}

/** Brings the archives that a merge of all below the URL needs, see {@link choose} and {@link locate}. */
export async function resolveArchives(
  url: string,
  { env, world, directory, signal, onBytes }: ResolveOptions,
): Promise<ResolvedArchive[]> {
  const { io, prefix } = await locate(url, env, world)
  const found: StoredArchive[] = []
  for await (const archive of io.listArchives(prefix, { signal })) found.push(archive)
  if (found.length === 0) throw new FoldError('INPUT_NOT_FOUND', `there is no archive at ${url}`)
  const resolved: ResolvedArchive[] = []
  for (const [index, { key }] of choose(found).entries()) {
    const path = join(directory, `${index}.bin`)
    await io.fetchArchive(key, path, {
      signal,
      onBytes: onBytes && ((done, total) => onBytes(key, done, total)),
      // The caller removes it; after a loss of power nobody looks for it.
      durable: false,
    })
    resolved.push({ path, url: `${io.archives().url}/${key}` })
  }
  return resolved
}

/**
 * The archives that a merge needs, as {@link groupByInput} chooses them: of an input with complete archives the one with
 * the most orthos, of others all that differ; and all that hold several inputs or say nothing of themselves.
 */
export function choose(found: readonly StoredArchive[]): StoredArchive[] {
  const most = [...found].sort((a, b) => (b.facts?.orthoCount ?? 0) - (a.facts?.orthoCount ?? 0))
  const telling = most.flatMap(({ key, facts }) => (facts ? [{ ...facts, archive: key }] : []))
  // Of an input that has others, archives that hold the best only add nothing to a list of all.
  const listed = new Set(
    telling.flatMap((one) => (one.top === undefined && one.input ? [one.input.sha256] : [])),
  )
  const useful = telling.filter(({ top, input }) => top === undefined || !input || !listed.has(input.sha256))
  const { groups, others } = groupByInput(useful)
  const chosen = [...groups.flatMap(({ archives }) => archives), ...others]
  const keys = new Set(chosen.map(({ archive }) => archive))
  return found.filter(({ key, facts }) => !facts || keys.has(key))
}
