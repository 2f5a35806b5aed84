/**
 * A directory of files as a tar stream that depends on nothing but their names and contents: entries in order of their
 * bytes, times 0, owner 0, mode 644. Every `tar` reads it.
 *
 * **Cost:** one block of a file at a time. A file that changes its length while it is read is an error.
 */
import { join } from 'node:path'
import type { Files } from '../effects.js'
import { FoldError } from '../errors.js'

const BLOCK = 512
const READ_BYTES = 1 << 20

/** A file to pack: its path with `/` below the directory, and its length. */
export interface PackedFile {
  path: string
  bytes: number
}

/** The stream, in pieces of up to a mebibyte. `root` is the directory that everything lies in once unpacked. */
export async function* tarOf(
  files: Files,
  directory: string,
  root: string,
  contents: readonly PackedFile[],
): AsyncGenerator<Buffer, void, undefined> {
  const sorted = [...contents].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
  for (const { path, bytes } of sorted) {
    yield await entryHeader(`${root}/${path}`, bytes)
    yield* fileBytes(files, join(directory, ...path.split('/')), bytes)
    if (bytes % BLOCK > 0) yield Buffer.alloc(BLOCK - (bytes % BLOCK))
  }
  yield Buffer.alloc(2 * BLOCK)
}

async function entryHeader(path: string, size: number): Promise<Buffer> {
  const { Header, Pax } = await import('tar')
  const data = { path, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type: 'File' } as const
  const header = new Header(data)
  const block = Buffer.alloc(BLOCK)
  // True if something does not fit the old header: a long name or one that is not ASCII, eight gigabytes.
  if (!header.encode(block)) return block
  const extended = new Pax({ path, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) }).encode()
  return Buffer.concat([extended, block])
}

async function* fileBytes(
  files: Files,
  path: string,
  bytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const handle = await files.open(path, 'r')
  try {
    let left = bytes
    while (left > 0) {
      const buffer = Buffer.allocUnsafe(Math.min(left, READ_BYTES))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length)
      if (bytesRead === 0) {
        throw new FoldError(
          'DAMAGED',
          `${path} is ${left} bytes shorter than its manifest says; search the text again`,
        )
      }
      yield buffer.subarray(0, bytesRead)
      left -= bytesRead
    }
  } finally {
    await handle.close()
  }
}
