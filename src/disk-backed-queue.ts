/** A first-in-first-out queue of byte records that lives on disk. */
import { native, type NativeQueue } from './addon.js'
import { Durable } from './durable.js'
import { FoldError } from './errors.js'
import { packRecords, unpackRecords } from './records.js'
import { checkInteger } from './task.js'

/** Options of {@link DiskBackedQueue.open}. */
export interface QueueOptions {
  /** Bytes of records kept in memory before they spill to a file. Default: 1 MiB. */
  memory?: number | undefined
}

/** A part of a queue that could not be read back. */
export interface QueueDamage {
  /** The file, by the name it has now. */
  file: string
  /** What is wrong and what was done about it. */
  what: string
  /** Records that are lost, where that can be told. */
  lostRecords: number | undefined
}

const BATCH_RECORDS = 4096
const BATCH_BYTES = 1024 * 1024

/**
 * A queue of byte records with a bounded buffer in memory and the rest in checksummed segment files. What was
 * flushed is there again after a crash. Calls take effect in the order in which they are made.
 *
 * @example
 * ```ts
 * const queue = await DiskBackedQueue.open('queue')
 * await queue.push([new TextEncoder().encode('first')])
 * for await (const record of queue) console.log(record) // does not consume
 * const [record] = await queue.pop()
 * await queue.close()
 * ```
 */
export class DiskBackedQueue extends Durable<NativeQueue> implements AsyncIterable<Uint8Array> {
  /** Opens the queue in a directory, or makes a new one there. One process at a time may have it open. */
  static async open(directory: string, options: QueueOptions = {}): Promise<DiskBackedQueue> {
    const memory = checkInteger('memory', options.memory ?? BATCH_BYTES, 1)
    return new DiskBackedQueue(await native((addon) => addon.openQueue(directory, memory)))
  }

  /** The number of records, those in memory and those on disk. */
  get length(): number {
    return this.native.length
  }

  /** What has been found damaged since the queue was opened; empty for a sound queue. */
  async damage(): Promise<QueueDamage[]> {
    const found = await this.run((held) => held.damage())
    return found.map(({ file, what, lostRecords }) => ({ file, what, lostRecords: lostRecords ?? undefined }))
  }

  /** Adds records at the end. They are copied before the call returns, so the caller may use their memory again. */
  push(records: readonly Uint8Array[]): Promise<void> {
    const packed = packRecords(records)
    return this.run((held) => held.push(packed))
  }

  /** Takes up to `max` records from the front, at most about 1 MiB of them; none when the queue is empty. */
  async pop(max = 1): Promise<Uint8Array[]> {
    checkInteger('max', max, 1, 0xffffffff)
    return unpackRecords(await this.run((held) => held.pop(max, BATCH_BYTES)))
  }

  /**
   * All records from the front to the end as of now, without taking them. Damage does not stop the rest from being
   * read: the iteration goes on behind it and rejects at the end, with code `DAMAGED`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const cursor = await this.run((held) => held.iter())
    let damage: FoldError | undefined
    for (;;) {
      let records: Uint8Array[]
      try {
        records = unpackRecords(await native(() => cursor.next(BATCH_RECORDS, BATCH_BYTES)))
      } catch (error) {
        if (!(error instanceof FoldError) || error.code !== 'DAMAGED') throw error
        damage ??= error
        continue
      }
      if (records.length === 0) break
      yield* records
    }
    if (damage) throw damage
  }
}
