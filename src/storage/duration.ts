/** Durations as people write them: `90s`, `10m`, `2h`, `1d`. */

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds; undefined if the text is no duration above zero. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text.trim()) ?? []
  const seconds = Number(amount) * (SECONDS[unit ?? ''] ?? Number.NaN)
  return seconds > 0 ? seconds : undefined
}
