/** The merge of archives, as a library function. */
import { machine } from './effects.js'
import { FoldError } from './errors.js'
import { checkGoal, type GoalOptions } from './goal.js'
import { nativeLimits, type Limits } from './limits.js'
import { defaultMemory, withCoreMemory } from './machine/memory.js'
import type { ArchiveSummary, Manifest } from './manifest.js'
import { checkInteger, runTask, type TaskOptions } from './task.js'

/** Options of {@link mergeArchives}. */
export interface MergeOptions extends TaskOptions, Limits, GoalOptions {
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
 * The result appears whole when the merge is done, or not at all. The archives are only read. What they hold is always
 * kept; a limit ends the search for what is new.
 *
 * Archives of searches for the optimum are merged to one that answers for the optimum of all texts together. They go with
 * archives of all orthos only if the goal `optimal` is asked for, as the result holds nothing but the best; otherwise
 * the error is `GOALS_DIFFER`.
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
  checkGoal(options)
  const { goal, top } = options
  const budget = options.memory ?? (await defaultMemory(machine))
  const threads = checkInteger('threads', options.threads ?? (await machine.processors()), 1, 1024)
  const request = {
    archives: [...archives],
    out: options.out,
    threads,
    limits: nativeLimits(options),
    optimal: goal === 'optimal',
    ...(top !== undefined && { top }),
  }
  const manifest = await withCoreMemory(budget, (memory) =>
    runTask<Manifest>((addon, control) => addon.merge({ ...request, memory }, control), options),
  )
  return { ...manifest, archive: options.out }
}
