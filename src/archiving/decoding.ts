/**
 * Pieces of a zstd stream to the bytes that they stand for, and the sum of what was read.
 *
 * Small frames, as ours are, are decoded side by side; from the first that is not small on ({@link FrameCutter}), one decoder
 * takes all in order. What comes out is the same.
 */
import {
  loadAddon,
  type Addon,
  type NativeSum,
  type NativeZstdDecoder,
  type NativeZstdFrameDecoder,
} from '../addon.js'
import { toFoldError } from '../errors.js'
import type { Buffers } from './buffers.js'
import { FrameCutter } from './frames.js'

/** Frames decoded at a time. */
export const LANES = 2

/** What {@link Decoding} is to know. */
export interface DecodingOptions {
  /** Whose buffers the pieces come in. */
  packed: Buffers
  /** In whose buffers the decoded bytes go. */
  unpacked: Buffers
  /** How many of the first bytes are summed. */
  summed: number
}

export class Decoding {
  readonly #source: AsyncIterable<Buffer>
  readonly #options: DecodingOptions
  readonly #addon: Addon
  readonly #sum: NativeSum
  readonly #idle: NativeZstdFrameDecoder[] = []
  readonly #running: Promise<Buffer>[] = []
  #summing: Promise<void> = Promise.resolve()
  #toSum: number
  /** Takes what is not small. */
  #loose: NativeZstdDecoder | undefined
  /** What is not full yet. */
  #output: Buffer | undefined
  #filled = 0

  private constructor(source: AsyncIterable<Buffer>, options: DecodingOptions, addon: Addon) {
    this.#source = source
    this.#options = options
    this.#addon = addon
    this.#sum = new addon.Sum()
    this.#toSum = options.summed
  }

  static async of(source: AsyncIterable<Buffer>, options: DecodingOptions): Promise<Decoding> {
    return new Decoding(source, options, await loadAddon())
  }

  /** The bytes in full buffers, the last perhaps smaller; whoever takes one releases it. */
  async *decoded(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const piece of this.#source) {
        this.#add(piece)
        if (!this.#loose && FrameCutter.isFrame(piece)) {
          this.#running.push(this.#decodeFrame(piece))
          if (this.#running.length === LANES) yield* this.#first()
        } else {
          while (this.#running.length > 0) yield* this.#first()
          yield* this.#decodeLoose(piece)
        }
      }
      while (this.#running.length > 0) yield* this.#first()
      await native(async () => this.#loose?.finish())
      if (this.#output && this.#filled > 0) yield this.#output.subarray(0, this.#filled)
    } finally {
      // Nobody uses a buffer any more when this has ended.
      await Promise.allSettled([...this.#running, this.#summing])
    }
  }

  /** The SHA-256 of what was to be summed, in hex, once all is decoded. */
  async sha256(): Promise<string> {
    await this.#summing
    return native(() => this.#sum.hex())
  }

  #add(piece: Buffer): void {
    const part = piece.subarray(0, this.#toSum)
    this.#toSum -= part.length
    if (part.length === 0) return
    const { packed } = this.#options
    packed.hold(piece)
    this.#summing = this.#summing
      .then(() => native(() => this.#sum.add(part)))
      .finally(() => packed.release(piece))
    // Said by sha256(); until then a failure must not count as unhandled.
    this.#summing.catch(() => undefined)
  }

  #decodeFrame(piece: Buffer): Promise<Buffer> {
    const decode = async () => {
      const { packed, unpacked } = this.#options
      const output = await unpacked.take()
      const decoder = this.#idle.pop() ?? new this.#addon.ZstdFrameDecoder()
      const given = await native(() => decoder.decode(piece, output)).finally(() => packed.release(piece))
      this.#idle.push(decoder)
      return output.subarray(0, given)
    }
    const decoded = decode()
    decoded.catch(() => undefined)
    return decoded
  }

  /** Gives what the first lane decodes: as it is, if it is full and nothing is before it. */
  async *#first(): AsyncGenerator<Buffer, void, undefined> {
    const bytes = await this.#running[0]
    void this.#running.shift()
    if (!bytes) return
    const { unpacked } = this.#options
    if (this.#filled === 0 && bytes.length === unpacked.bytes) return yield bytes
    for (let at = 0; at < bytes.length;) {
      const output = (this.#output ??= await unpacked.take())
      const part = bytes.subarray(at, at + output.length - this.#filled)
      output.set(part, this.#filled)
      at += part.length
      yield* this.#fill(part.length)
    }
    unpacked.release(bytes)
  }

  async *#decodeLoose(piece: Buffer): AsyncGenerator<Buffer, void, undefined> {
    const decoder = (this.#loose ??= new this.#addon.ZstdDecoder())
    // A full output may mean that there is more, also without input.
    try {
      for (let from = 0, more = true; more || from < piece.length;) {
        const output = (this.#output ??= await this.#options.unpacked.take())
        const { taken, given } = await native(() => decoder.step(piece, from, output, this.#filled))
        from += taken
        more = this.#filled + given === output.length
        yield* this.#fill(given)
      }
    } finally {
      this.#options.packed.release(piece)
    }
  }

  /** Gives the output when it is full. */
  *#fill(bytes: number): Generator<Buffer, void, undefined> {
    this.#filled += bytes
    const output = this.#output
    if (!output || this.#filled < output.length) return
    this.#output = undefined
    this.#filled = 0
    yield output
  }
}

async function native<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toFoldError(error)
  }
}
