/** The search of one text, as a library function. */
import type { NativeSearchRequest } from './addon.js'
import { machine } from './effects.js'
import { defaultMemory, withCoreMemory } from './machine/memory.js'
import { FoldError } from './errors.js'
import { wantedTop, type GoalOptions } from './goal.js'
import { nativeLimits, type Limits } from './limits.js'
import type { ArchiveSummary, Manifest } from './manifest.js'
import { inputName } from './input.js'
import { checkInteger, runTask, type TaskOptions } from './task.js'

/** The text to search: a file, or the text itself; `name` is what the archive calls it (by default that of the
 * file, less `.txt`). */
export type SearchInput =
  { path: string; name?: string | undefined } | { text: string | Uint8Array; name: string }

/** Options of {@link search}. */
export interface SearchOptions extends TaskOptions, Limits, GoalOptions {
  /** The archive directory to write, by convention `NAME.bin`. It must not exist yet. */
  out: string
  /** Bytes of memory that the whole process may take. Default: half of what the machine or its control group grants. */
  memory?: number | undefined
  /** Number of threads. Default: one for each processor. */
  threads?: number | undefined
  /** Search only the `index`-th (from 1) of `count` disjoint parts; all of them together are the whole. */
  shard?: { index: number; count: number } | undefined
  /** An archive of the same text whose search ended early, or of a merge that a limit ended: go on from it. It is only read. */
  continueFrom?: string | undefined
}

/**
 * Finds every ortho of a text and writes the archive.
 *
 * The archive appears whole when the search is done, or not at all. A limit is no error: the archive then says
 * `complete: false` and which limit it was. A search that is killed leaves its work beside `out`, and the next one of
 * the same text with the same `out` goes on from there.
 *
 * With the goal `optimal` the archive holds only the best, and its manifest the proof that there is none better. Limits of
 * orthos and dimensions and shards have no meaning then. `continueFrom` may be an archive of either goal: nothing worse
 * than what it holds is looked for.
 *
 * @param input - The text; it may be left out with `continueFrom`, as that archive has its phrases.
 * @example
 * ```ts
 * const { orthoCount, optimal } = await search({ path: 'chapter.txt' }, { out: 'chapter.bin' })
 * ```
 */
export async function search(
  input: SearchInput | undefined,
  options: SearchOptions,
): Promise<ArchiveSummary> {
  const { continueFrom, shard } = options
  if (!input && continueFrom === undefined) {
    throw new FoldError('INVALID_ARGUMENT', 'there is neither a text nor an archive to continue from')
  }
  const top = wantedTop(options)
  const threads = checkInteger('threads', options.threads ?? (await machine.processors()), 1, 1024)
  const request: Omit<NativeSearchRequest, 'memory'> = {
    ...(input ? source(input) : { name: '' }),
    out: options.out,
    threads,
    limits: nativeLimits(options),
    ...(shard && { shard: checkShard(shard) }),
    ...(continueFrom !== undefined && { continueFrom }),
    ...(top !== undefined && { top }),
  }
  const budget = options.memory ?? (await defaultMemory(machine))
  const manifest = await withCoreMemory(budget, (memory) =>
    runTask<Manifest>((addon, control) => addon.search({ ...request, memory }, control), options),
  )
  return { ...manifest, archive: options.out }
}

function checkShard({ index, count }: { index: number; count: number }) {
  checkInteger('shard.count', count, 1, 2 ** 32 - 1)
  return { index: checkInteger('shard.index', index, 1, count), count }
}

/** The text as the addon takes it. */
export function source(input: SearchInput): Pick<NativeSearchRequest, 'path' | 'bytes' | 'name'> {
  if ('path' in input) return { path: input.path, name: input.name ?? inputName(input.path) }
  const bytes = typeof input.text === 'string' ? new TextEncoder().encode(input.text) : input.text
  return { bytes, name: input.name }
}
