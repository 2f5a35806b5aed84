/**
 * A file that is there whole or not at all: written under a temporary name beside its place, made durable, then given
 * its name. A killed process leaves `.NAME.tmp-<16 hex digits>` and nothing else.
 */
import { basename, dirname, join } from 'node:path'
import type { Machine } from './effects.js'
import { FoldError } from './errors.js'
import { exists, placeFile, syncDirectories } from './state/moves.js'

/** What to write: text as UTF-8, or bytes. */
export type Chunks = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>

/**
 * Writes a file; resolves to its length in bytes. What is there already is only replaced with `replace`; else that is an
 * error with code `OUTPUT_EXISTS`, found before anything is written.
 */
export async function writeWhole(
  { files, uniqueId }: Pick<Machine, 'files' | 'uniqueId'>,
  path: string,
  chunks: Chunks,
  { replace = false }: { replace?: boolean } = {},
): Promise<number> {
  if (!replace && (await exists(files, path))) throw taken(path)
  const directory = dirname(path)
  const temporary = join(directory, `.${basename(path)}.tmp-${uniqueId()}`)
  const file = await files.open(temporary, 'wx')
  try {
    let length = 0
    try {
      for await (const chunk of chunks) {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
        // A write may take less than it is given.
        for (let done = 0; done < bytes.length;) {
          done += (await file.write(bytes, done, bytes.length - done)).bytesWritten
        }
        length += bytes.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    if (replace) await files.rename(temporary, path)
    else if (!(await placeFile(files, temporary, path))) throw taken(path)
    await syncDirectories(files, directory)
    return length
  } catch (error) {
    await files.rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

function taken(path: string): FoldError {
  return new FoldError('OUTPUT_EXISTS', `${path} is there already; nothing is overwritten without --force`)
}
