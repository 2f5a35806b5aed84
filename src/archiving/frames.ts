/**
 * Where small zstd frames end, found while they arrive: such as our own archives are made of, which can be decoded side by
 * side.
 *
 * Only the headers of frames and blocks are read (RFC 8878). From the first frame on that may have more than
 * {@link FRAME_BYTES}, or is none, pieces are full buffers, to be decoded in order.
 */
import type { Cutter } from './buffers.js'

/** Bytes of the tar stream in each frame of ours. */
export const FRAME_BYTES = 2 << 20
/** A frame of so many bytes, compressed: `ZSTD_compressBound`. */
export const LONGEST_FRAME = FRAME_BYTES + (FRAME_BYTES >> 8)

const MAGIC = 0xfd2fb528
const LONGEST_HEADER = 18
const BLOCK_HEADER = 3
const LARGEST_BLOCK = 128 << 10
/** Of a window of 8 MiB: what levels in common use have, and what a decoder is to hold for each frame. */
const LARGEST_WINDOW = 13 << 3
const RAW = 0
const RLE = 1
const RESERVED = 3

/** Cuts after each small frame, as long as there is no other. */
export class FrameCutter implements Cutter {
  /** Where the next header is, from the beginning of the frame at hand; 0 for its own. */
  #at = 0
  /** The most bytes that the blocks so far may have. */
  #most = 0
  #checksum = 0
  #last = false
  #loose = false

  /** Whether a piece is one small frame. */
  static isFrame(piece: Buffer): boolean {
    const cutter = new FrameCutter()
    for (let wanted = 0; ;) {
      const next = cutter.next(piece, wanted)
      if (cutter.#loose || next > piece.length) return false
      if (next === wanted) return next === piece.length
      wanted = next
    }
  }

  next(piece: Buffer, filled: number): number {
    if (this.#loose) return piece.length
    if (filled === 0) {
      this.#at = 0
      this.#most = 0
      this.#last = false
      return LONGEST_HEADER
    }
    if (this.#at === 0) this.#readHeader(piece)
    while (!this.#loose && !this.#last && this.#at + BLOCK_HEADER <= filled) this.#readBlock(piece)
    const next = this.#at + (this.#last ? 0 : BLOCK_HEADER)
    // A frame that ends where its longest header might has let in bytes of the next.
    if (next < filled || next > LONGEST_FRAME || this.#most > FRAME_BYTES) this.#loose = true
    return this.#loose ? piece.length : next
  }

  /** Magic, descriptor, window unless the segment is single, dictionary, content size. */
  #readHeader(piece: Buffer): void {
    const descriptor = piece[4] ?? 0
    const single = (descriptor & 0x20) !== 0
    const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
    this.#at = 5 + (single ? 0 : 1) + sizeBytes
    this.#checksum = (descriptor & 0x04) === 0 ? 0 : 4
    // The window of a single segment is its content: of eight bytes only the lower four may be used.
    const size = sizeBytes < 4 ? 0 : piece.readUInt32LE(this.#at - sizeBytes)
    const huge = sizeBytes === 8 && piece.readUInt32LE(this.#at - 4) > 0
    const small = single ? size <= FRAME_BYTES && !huge : (piece[5] ?? 0) <= LARGEST_WINDOW
    const plain = piece.readUInt32LE(0) === MAGIC && (descriptor & 0x0b) === 0
    if (!small || !plain) this.#loose = true
  }

  #readBlock(piece: Buffer): void {
    const header = piece.readUIntLE(this.#at, BLOCK_HEADER)
    const [type, size] = [(header >> 1) & 3, header >> 3]
    if (type === RESERVED || size > LARGEST_BLOCK) this.#loose = true
    this.#most += type === RAW || type === RLE ? size : LARGEST_BLOCK
    this.#last = (header & 1) === 1
    this.#at += BLOCK_HEADER + (type === RLE ? 1 : size) + (this.#last ? this.#checksum : 0)
  }
}
