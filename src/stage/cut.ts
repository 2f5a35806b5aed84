/**
 * Where a long text is cut: before lines that begin with a delimiter, into pieces of a least length.
 *
 * Works on a stream of bytes of any length in bounded memory. A line begins after LF or CR, or where the file does (a
 * byte order mark aside). Cuts are at the beginnings of lines, so no character is ever cut, and the pieces together
 * are the file.
 */
import { FoldError } from '../errors.js'

/** More files than anybody wants in one directory. */
export const MOST_PIECES = 1_000_000

const LF = 10
const CR = 13
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** A piece as the bytes from `start` to before `end`. */
export interface Piece {
  start: number
  end: number
}

/** Finds the pieces of a text. */
export class Cutter {
  readonly #delimiter: Buffer
  readonly #least: number
  /** Bytes that the next chunk may complete to a delimiter, with one before them. */
  #rest: Buffer = Buffer.alloc(0)
  #read = 0
  /** The first bytes of the text. */
  #head: Buffer = Buffer.alloc(0)
  #cuts: number[] = []
  /** Lines that begin with the delimiter. */
  found = 0

  constructor(delimiter: string, least: number) {
    this.#delimiter = Buffer.from(delimiter)
    this.#least = least
    if (delimiter === '' || /[\n\r]/.test(delimiter)) {
      throw new FoldError('INVALID_ARGUMENT', 'the delimiter must be the beginning of a line, and not empty')
    }
  }

  /** Takes the next bytes of the text. */
  feed(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#rest, chunk])
    const base = this.#read - this.#rest.length
    this.#read += chunk.length
    if (this.#head.length < BYTE_ORDER_MARK.length) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, BYTE_ORDER_MARK.length - this.#head.length)])
    }
    // Where it was decided already whether a delimiter begins.
    const decided = Math.max(0, this.#read - chunk.length - this.#delimiter.length + 1) - base
    let lf = -1
    let cr = -1
    let at = bytes.indexOf(this.#delimiter, decided)
    while (at >= 0) {
      if (this.#beginsLine(bytes, at, base)) this.#cutAt(base + at)
      // On to the next line: a line may hold the delimiter very often.
      if (lf <= at) lf = next(bytes, LF, at)
      if (cr <= at) cr = next(bytes, CR, at)
      const end = Math.min(lf, cr)
      if (end === Infinity) break
      at = bytes.indexOf(this.#delimiter, end + 1)
    }
    this.#rest = Buffer.from(bytes.subarray(Math.max(0, bytes.length - this.#delimiter.length)))
  }

  #beginsLine(bytes: Buffer, at: number, base: number): boolean {
    const before = bytes[at - 1]
    if (before === LF || before === CR || base + at === 0) return true
    return base + at === BYTE_ORDER_MARK.length && this.#head.equals(BYTE_ORDER_MARK)
  }

  #cutAt(offset: number): void {
    this.found += 1
    const last = this.#cuts.at(-1) ?? 0
    // A byte order mark alone is no piece.
    const blank = offset === 0 || (offset === BYTE_ORDER_MARK.length && this.#head.equals(BYTE_ORDER_MARK))
    if (blank || offset - last < this.#least) return
    if (this.#cuts.length + 1 >= MOST_PIECES) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        `the text would be cut into more than ${MOST_PIECES} pieces; use a greater --min-length`,
      )
    }
    this.#cuts.push(offset)
  }

  /** The pieces, once all bytes were fed. */
  end(): Piece[] {
    const last = this.#cuts.at(-1)
    if (last !== undefined && this.#read - last < this.#least) this.#cuts.pop()
    const edges = [0, ...this.#cuts, this.#read]
    return edges.slice(1).map((end, i) => ({ start: edges[i] ?? 0, end }))
  }
}

function next(bytes: Buffer, byte: number, after: number): number {
  const at = bytes.indexOf(byte, after + 1)
  return at < 0 ? Infinity : at
}
