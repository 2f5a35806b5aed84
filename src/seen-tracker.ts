/** An exact set of 128-bit fingerprints, larger than memory. */
import { native, type NativeSeenTracker } from './addon.js'
import { Durable } from './durable.js'
import { FoldError } from './errors.js'
import { packRecords } from './records.js'
import { checkInteger } from './task.js'

/** Options of {@link SeenTracker.open}. */
export interface SeenTrackerOptions {
  /** Bytes of memory for shards and filters. Default: 64 MiB. */
  memory?: number | undefined
}

/** Bytes of a fingerprint. */
const WIDTH = 16

/**
 * Says which fingerprints it has seen before, without a false answer either way, within a memory budget; the rest
 * is on disk, also after closing and opening again. Calls take effect in the order in which they are made.
 *
 * @example
 * ```ts
 * const seen = await SeenTracker.open('seen')
 * const fingerprint = new Uint8Array(16)
 * await seen.insert([fingerprint]) // [true]: it is new
 * await seen.insert([fingerprint]) // [false]
 * await seen.close()
 * ```
 */
export class SeenTracker extends Durable<NativeSeenTracker> {
  /** Opens the set in a directory, or makes a new one there. */
  static async open(directory: string, options: SeenTrackerOptions = {}): Promise<SeenTracker> {
    const memory = checkInteger('memory', options.memory ?? 64 * 2 ** 20, 1)
    return new SeenTracker(await native((addon) => addon.openSeenTracker(directory, memory)))
  }

  /** The number of fingerprints in the set. */
  get size(): number {
    return this.native.size
  }

  /** Inserts fingerprints of 16 bytes each and says for each whether it was new; of equal ones the first is. */
  async insert(fingerprints: readonly Uint8Array[]): Promise<boolean[]> {
    return toBooleans(await this.insertPacked(pack(fingerprints)))
  }

  /** Says for each fingerprint of 16 bytes whether it is in the set. */
  async has(fingerprints: readonly Uint8Array[]): Promise<boolean[]> {
    const packed = pack(fingerprints)
    return toBooleans(await this.run((held) => held.contains(packed)))
  }

  /**
   * As {@link insert}, without an object for each: fingerprints one after the other; answers 1 (new) or 0. The memory
   * must not be changed before the promise settles.
   */
  async insertPacked(fingerprints: Uint8Array): Promise<Uint8Array> {
    if (fingerprints.length % WIDTH !== 0) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        `fingerprints must be a multiple of ${WIDTH} bytes, not ${fingerprints.length}`,
      )
    }
    return this.run((held) => held.insert(fingerprints))
  }
}

function pack(fingerprints: readonly Uint8Array[]): Uint8Array {
  for (const [i, fingerprint] of fingerprints.entries()) {
    if (fingerprint.length === WIDTH) continue
    throw new FoldError(
      'INVALID_ARGUMENT',
      `fingerprint ${i} has ${fingerprint.length} bytes; each must have ${WIDTH}`,
    )
  }
  return packRecords(fingerprints).bytes
}

function toBooleans(flags: Uint8Array): boolean[] {
  return Array.from(flags, (flag) => flag === 1)
}
