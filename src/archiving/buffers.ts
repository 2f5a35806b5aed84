/**
 * A few buffers that are used again and again, and bytes handed over in them.
 *
 * Half a gigabyte in new buffers of a mebibyte keeps the garbage collector and the kernel busier than decoding does. So
 * memory is what these buffers have, however much goes through them, and whoever wants one waits until one is free.
 */

/** Buffers of one size. One that was taken is free again when it was let go as often as it was taken and held. */
export class Buffers {
  readonly bytes: number
  #unmade: number
  readonly #free: Buffer[] = []
  readonly #waiting: ((buffer: Buffer) => void)[] = []
  readonly #uses = new Map<ArrayBufferLike, { buffer: Buffer; count: number }>()

  constructor(bytes: number, count: number) {
    this.bytes = bytes
    this.#unmade = count
  }

  /** A buffer that nobody uses. What is in it is of no meaning. */
  async take(): Promise<Buffer> {
    const buffer =
      this.#free.pop() ?? this.#made() ?? (await new Promise<Buffer>((give) => this.#waiting.push(give)))
    this.#uses.set(buffer.buffer, { buffer, count: 1 })
    return buffer
  }

  #made(): Buffer | undefined {
    if (this.#unmade === 0) return undefined
    this.#unmade -= 1
    // Each with memory of its own, by which its parts are known.
    return Buffer.from(new ArrayBuffer(this.bytes))
  }

  /** Keeps the buffer that this is a part of, until {@link release} is called once more. */
  hold(part: Uint8Array): void {
    const use = this.#uses.get(part.buffer)
    if (use) use.count += 1
  }

  /** Lets go of the buffer that this is a part of. */
  release(part: Uint8Array): void {
    const use = this.#uses.get(part.buffer)
    if (!use) return
    use.count -= 1
    if (use.count > 0) return
    this.#uses.delete(part.buffer)
    const next = this.#waiting.shift()
    if (next) next(use.buffer)
    else this.#free.push(use.buffer)
  }
}

/** Where a piece is to end, if not where the buffer does. It is asked as bytes come, for each piece from the first on. */
export interface Cutter {
  /** How many bytes of this piece there must be before it is asked again; as many as there are if it ends here. */
  next(piece: Buffer, filled: number): number
}

/**
 * Bytes from one who has them to one who wants them, in full pieces, the last perhaps smaller. Neither waits for the other
 * while a buffer is free or full. The reader releases each piece.
 */
export class Pieces implements AsyncIterable<Buffer> {
  readonly #buffers: Buffers
  readonly #cutter: Cutter | undefined
  readonly #full: Buffer[] = []
  #piece: Buffer | undefined
  #filled = 0
  /** What the piece must hold before anything is to be decided. */
  #wanted = 0
  #ended = false
  #failure: unknown
  #failed = false
  #wake: (() => void) | undefined

  constructor(buffers: Buffers, cutter?: Cutter) {
    this.#buffers = buffers
    this.#cutter = cutter
  }

  /** Copies; resolves when all of it is taken. Rejects once either side has failed. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const piece = (this.#piece ??= await this.#begin())
      if (this.#failed) throw this.#failure
      const part = chunk.subarray(at, at + this.#wanted - this.#filled)
      piece.set(part, this.#filled)
      at += part.length
      this.#filled += part.length
      if (this.#filled === this.#wanted) this.#decide(piece)
    }
  }

  async #begin(): Promise<Buffer> {
    const piece = await this.#buffers.take()
    this.#wanted = this.#next(piece)
    return piece
  }

  #next(piece: Buffer): number {
    return Math.min(piece.length, this.#cutter?.next(piece, this.#filled) ?? piece.length)
  }

  #decide(piece: Buffer): void {
    this.#wanted = this.#next(piece)
    if (this.#filled === this.#wanted) this.#pass()
  }

  #pass(): void {
    if (this.#piece) this.#full.push(this.#piece.subarray(0, this.#filled))
    this.#piece = undefined
    this.#filled = 0
    this.#wake?.()
  }

  /** There are no more. */
  end(): void {
    this.#ended = true
    this.#pass()
  }

  /** Ends it for both sides. */
  fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#failure = error
    this.#wake?.()
    // Whoever waits for a buffer is to learn of it.
    for (const piece of this.#full.splice(0)) this.#buffers.release(piece)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      if (this.#failed) throw this.#failure
      const piece = this.#full.shift()
      if (piece) yield piece
      else if (this.#ended) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
