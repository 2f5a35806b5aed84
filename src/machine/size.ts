/** Amounts of memory as people write and read them. */
import { FoldError } from '../errors.js'

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  kb: 1e3,
  m: 2 ** 20,
  mib: 2 ** 20,
  mb: 1e6,
  g: 2 ** 30,
  gib: 2 ** 30,
  gb: 1e9,
  t: 2 ** 40,
  tib: 2 ** 40,
  tb: 1e12,
}

/** Bytes of a size such as `256M`, `1.5GiB`, `500MB` or `1048576`. `M` and `MiB` are 2^20, `MB` is 10^6. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = UNITS[match?.[2]?.toLowerCase() ?? '']
  const bytes = match && unit ? Math.floor(Number(match[1]) * unit) : Number.NaN
  if (!Number.isSafeInteger(bytes) || bytes <= 0) {
    throw new FoldError(
      'INVALID_ARGUMENT',
      `"${text}" is not a size: write a number above zero with a unit, such as 256M, 1.5GiB or 500MB`,
    )
  }
  return bytes
}

/** Bytes in the largest binary unit that leaves at least one, with up to one decimal: `1.5 GiB`. */
export function formatSize(bytes: number): string {
  const names = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < names.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${names[unit]}`
}
