/** Options that several commands share, from their text to their value. */
import { FoldError } from '../errors.js'
import { parseSize } from '../machine/size.js'

export const MEMORY_HELP =
  'Memory that the whole process may take, such as 256M or 1G (default: half of what the machine or its cgroup grants)'
export const THREADS_HELP = 'Number of threads (default: one for each processor)'

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
