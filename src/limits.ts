/** What a search or a merge may use up before it ends early and keeps what it has found. */
import type { NativeLimits } from './addon.js'
import { FoldError } from './errors.js'
import { checkInteger } from './task.js'

/** Limits that end a search early. What was found is kept; the archive then says `complete: false` and why. */
export interface Limits {
  /** Find no more orthos than this. */
  maxOrthos?: number | undefined
  /** Seconds, from the beginning of the work. */
  maxTime?: number | undefined
  /** Bytes of results; looked at some times a second, so it is passed by a little. */
  maxDisk?: number | undefined
  /** Bytes of the disk that stay free. Default: 512 MiB, or a twentieth of the disk if that is less. */
  diskReserve?: number | undefined
  /** Look only for orthos of so many dimensions. */
  maxDims?: number | undefined
}

/** The limits as the addon takes them, or an error that names the wrong one. */
export function nativeLimits(limits: Limits): NativeLimits {
  const whole = (name: 'maxOrthos' | 'maxDisk' | 'diskReserve' | 'maxDims', least: number, most?: number) => {
    const value = limits[name]
    return value === undefined ? {} : { [name]: checkInteger(name, value, least, most) }
  }
  const { maxTime } = limits
  if (maxTime !== undefined && !(maxTime >= 0 && maxTime <= 1e9)) {
    throw new FoldError('INVALID_ARGUMENT', `maxTime must be seconds from 0 to 1e9, not ${maxTime}`)
  }
  return {
    ...whole('maxOrthos', 0),
    ...(maxTime === undefined ? {} : { maxTime }),
    ...whole('maxDisk', 0),
    ...whole('diskReserve', 0),
    ...whole('maxDims', 2, 2 ** 32 - 1),
  }
}
