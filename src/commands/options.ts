/** Options that several commands share, from their text to their value. */
import { FoldError } from '../errors.js'
import type { GoalOptions } from '../goal.js'
import type { Limits } from '../limits.js'
import { parseDuration } from '../machine/duration.js'
import { parseSize } from '../machine/size.js'

export const MEMORY_HELP =
  'Memory that the whole process may take, such as 256M or 1G (default: half of what the machine or its cgroup grants)'
export const THREADS_HELP = 'Number of threads (default: one for each processor)'
export const GOAL_HELP =
  'What to look for: all orthos, or only the optimal one with a proof (all or optimal; default: all)'
export const TOP_HELP = 'With --goal optimal: so many of the best (default: 1)'
export const LIMITS_HELP = {
  maxOrthos: 'Stop after so many orthos',
  maxTime: 'Stop after this time, such as 90s, 10m or 2h',
  maxDisk: 'Stop when the archive has taken so much disk, such as 10G',
  diskReserve: 'Always leave so much of the disk free (default: chosen by the size of the disk)',
  maxDims: 'Look only for orthos of at most so many dimensions',
} as const

/** The texts of the options for limits. */
export interface LimitTexts {
  maxOrthos: string | undefined
  maxTime: string | undefined
  maxDisk: string | undefined
  diskReserve: string | undefined
  maxDims: string | undefined
}

/** The limits that are given, and no others. */
export function limitOptions(texts: LimitTexts): Limits {
  const limits: Limits = {
    maxOrthos: countOption('--max-orthos', texts.maxOrthos, 1),
    maxTime: texts.maxTime === undefined ? undefined : parseDuration(texts.maxTime),
    maxDisk: memoryOption(texts.maxDisk),
    diskReserve: texts.diskReserve === '0' ? 0 : memoryOption(texts.diskReserve),
    maxDims: countOption('--max-dims', texts.maxDims, 2),
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}

/** A part of a search, `i/n`. */
export function shardOption(text: string | undefined): { index: number; count: number } | undefined {
  if (text === undefined) return undefined
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text)?.map(Number) ?? []
  if (!index || !count || index > count) {
    throw new FoldError(
      'INVALID_ARGUMENT',
      `--shard must be a part and the number of parts, such as 3/8, not "${text}"`,
    )
  }
  return { index, count }
}

/** What is looked for, if that is said. */
export function goalOption(goal: string | undefined, top: string | undefined): GoalOptions {
  if (goal !== undefined && goal !== 'all' && goal !== 'optimal') {
    throw new FoldError('INVALID_ARGUMENT', `--goal must be all or optimal, not "${goal}"`)
  }
  const count = countOption('--top', top, 1)
  if (count !== undefined && goal !== 'optimal') {
    throw new FoldError(
      'INVALID_ARGUMENT',
      '--top says how many of the best are wanted: it goes with --goal optimal',
    )
  }
  return { ...(goal && { goal }), ...(count !== undefined && { top: count }) }
}

/** Whether an argument names a place in a bucket rather than a path. */
export function isBucketUrl(text: string): boolean {
  return /^(?:s3|file):\/\//.test(text)
}

/** A memory size, if given. */
export function memoryOption(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseSize(text)
}

/** A whole number of at least `least`, if given. */
export function countOption(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value) || value < least) {
    throw new FoldError(
      'INVALID_ARGUMENT',
      `${name} must be a whole number of at least ${least}, not "${text}"`,
    )
  }
  return value
}
