/** What a search or merge is to look for, as its options say. */
import { FoldError } from './errors.js'
import type { Goal } from './manifest.js'
import { checkInteger } from './task.js'

/** Options that say what is looked for. */
export interface GoalOptions {
  /** `optimal`: only the optimal ortho, proved, without listing the others. Default: `all`. */
  goal?: Goal | undefined
  /** With the goal `optimal`: how many of the best orthos. Default: 1; of a merge, as many as its archives were asked for. */
  top?: number | undefined
}

/** The most of the best that can be asked for. */
const MOST_BEST = 1_000_000

/** How many of the best are wanted, or undefined if all orthos are. */
export function wantedTop({ goal = 'all', top }: GoalOptions): number | undefined {
  checkGoal({ goal, top })
  return goal === 'optimal' ? (top ?? 1) : undefined
}

/** Throws if the options contradict each other. */
export function checkGoal({ goal, top }: GoalOptions): void {
  if (goal !== undefined && goal !== 'all' && goal !== 'optimal') {
    throw new FoldError('INVALID_ARGUMENT', `goal must be all or optimal, not "${String(goal)}"`)
  }
  if (top === undefined) return
  if (goal !== 'optimal') {
    throw new FoldError(
      'INVALID_ARGUMENT',
      'top says how many of the best are wanted: it goes with the goal optimal',
    )
  }
  checkInteger('top', top, 1, MOST_BEST)
}
