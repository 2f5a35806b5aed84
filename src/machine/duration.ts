/** Times as people write them. */
import { FoldError } from '../errors.js'

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600, d: 86_400 }
const DURATION = /^(?:\d+(?:\.\d+)?\s*[a-z]+\s*)+$/i
const PART = /(\d+(?:\.\d+)?)\s*([a-z]+)/gi

/** Seconds of a time such as `90s`, `10m`, `2h` or `1h30m`. */
export function parseDuration(text: string): number {
  const trimmed = text.trim()
  let seconds = DURATION.test(trimmed) ? 0 : Number.NaN
  for (const [, count, unit] of trimmed.matchAll(PART)) {
    seconds += Number(count) * (UNITS[unit?.toLowerCase() ?? ''] ?? Number.NaN)
  }
  if (!Number.isFinite(seconds) || seconds <= 0) {
    throw new FoldError(
      'INVALID_ARGUMENT',
      `"${text}" is not a time: write numbers above zero with units, such as 90s, 10m, 2h or 1h30m`,
    )
  }
  return seconds
}
