/** Reading a text file for the report: its sum, and some of its lines. Memory: one buffer and what is wanted. */
import { createHash } from 'node:crypto'
import type { Files } from '../../effects.js'
import { FoldError } from '../../errors.js'

type Opener = Pick<Files, 'open'>

/** Bytes of a line that are kept at most: a text may be one line. */
const MOST_BYTES = 64 * 1024
const CHUNK = 256 * 1024

/** The bytes of a file. The same memory is used for every chunk. */
async function* chunksOf(files: Opener, path: string): AsyncGenerator<Buffer, void, undefined> {
  let file
  try {
    file = await files.open(path, 'r')
    const buffer = Buffer.alloc(CHUNK)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } catch (cause) {
    throw new FoldError('INPUT_UNREADABLE', `the text ${path} cannot be read`, { cause })
  } finally {
    await file?.close()
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256Of(files: Opener, path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of chunksOf(files, path)) hash.update(chunk)
  return hash.digest('hex')
}

/** The wanted lines, counted from 1. A line ends at LF, CR or CRLF, as for the splitter of the core. */
export async function pickLines(
  files: Opener,
  path: string,
  wanted: ReadonlySet<number>,
): Promise<Map<number, string>> {
  const lines = new Map<number, string>()
  let last = 0
  for (const line of wanted) last = Math.max(last, line)
  let number = 1
  let kept: Buffer[] = []
  let length = 0
  const keep = (bytes: Buffer) => {
    if (!wanted.has(number) || length >= MOST_BYTES) return
    const part = Buffer.from(bytes.subarray(0, MOST_BYTES - length))
    kept.push(part)
    length += part.length
  }
  const end = () => {
    if (wanted.has(number))
      lines.set(
        number,
        Buffer.concat(kept)
          .toString()
          .replace(/^\ufeff/, ''),
      )
    number += 1
    kept = []
    length = 0
  }
  let afterCarriageReturn = false
  for await (const chunk of chunksOf(files, path)) {
    let from = 0
    for (const [at, byte] of chunk.entries()) {
      if (byte === 10 && afterCarriageReturn) from = at + 1
      else if (byte === 10 || byte === 13) {
        keep(chunk.subarray(from, at))
        end()
        from = at + 1
      }
      afterCarriageReturn = byte === 13
    }
    keep(chunk.subarray(from))
    if (number > last) return lines
  }
  end()
  return lines
}
