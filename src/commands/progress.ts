/** Progress as the options of a command want it. */
import type { Effects } from '../effects.js'
import { defaultMemory } from '../machine/memory.js'
import { ProgressDisplay } from '../report/progress.js'

/** What the options say. */
export interface ProgressWishes {
  quiet: boolean
  json: boolean
  /** Bytes of memory that the process may take; those of the default without. */
  memory?: number | undefined
  /** Bytes of results that are allowed. */
  maxDisk?: number | undefined
  /** What is worked on. */
  title?: string | undefined
}

/** A display for long work of the core. */
export async function workProgress(
  effects: Effects,
  { quiet, json, memory, maxDisk, title }: ProgressWishes,
): Promise<ProgressDisplay> {
  const memoryBudget = memory ?? (await defaultMemory(effects))
  const progress = new ProgressDisplay(effects, { quiet, json, memoryBudget, diskBudget: maxDisk })
  progress.title = title
  return progress
}
