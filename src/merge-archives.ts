/** The merge of archives, as a library function. */
import { machine } from './effects.js'
import { FoldError } from './errors.js'
import { coreMemory, defaultMemory } from './machine/memory.js'
import type { ArchiveSummary, Manifest } from './manifest.js'
import { checkInteger, runTask, type TaskOptions } from './task.js'

/** Options of {@link mergeArchives}. */
export interface MergeOptions extends TaskOptions {
  /** The archive directory to write, by convention `NAME.bin`. It must not exist yet. */
  out: string
  /** Bytes of memory that the whole process may take. Default: half of what the machine or its control group grants. */
  memory?: number | undefined
  /** Number of threads. Default: one for each processor. */
  threads?: number | undefined
}

/**
 * Merges archives into one that holds exactly what a search of all their texts together would give, whatever their
 * order and however often one is given. Incomplete archives are united, and the result says that it is not complete.
 *
 * The result appears whole when the merge is done, or not at all. The archives are only read.
 *
 * @example
 * ```ts
 * const { orthoCount } = await mergeArchives(['one.bin', 'two.bin'], { out: 'both.bin' })
 * ```
 */
export async function mergeArchives(
  archives: readonly string[],
  options: MergeOptions,
): Promise<ArchiveSummary> {
  if (archives.length === 0) {
    throw new FoldError('INVALID_ARGUMENT', 'there is nothing to merge; give at least one archive')
  }
  const memory = coreMemory(options.memory ?? (await defaultMemory(machine)))
  const threads = checkInteger('threads', options.threads ?? (await machine.processors()), 1, 1024)
  const request = { archives: [...archives], out: options.out, memory, threads }
  const manifest = await runTask<Manifest>((addon, control) => addon.merge(request, control), options)
  return { ...manifest, archive: options.out }
}
