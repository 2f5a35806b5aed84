/** Standard input as one piece of memory. */
import type { Readable } from 'node:stream'
import { FoldError, cancelled, throwIfAborted } from '../errors.js'

/** More than any text that is meant to be searched: 100 MB is what the index is made for. */
export const MAX_STANDARD_INPUT = 512 * 2 ** 20

/** Reads to the end, or until the signal. */
export async function readStandardInput(stdin: Readable, signal: AbortSignal): Promise<Uint8Array> {
  throwIfAborted(signal)
  const chunks: Buffer[] = []
  let bytes = 0
  const stop = () => stdin.destroy(cancelled(signal))
  signal.addEventListener('abort', stop)
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > MAX_STANDARD_INPUT) {
        throw new FoldError(
          'INPUT_TOO_LARGE',
          `standard input has more than ${MAX_STANDARD_INPUT} bytes; put the text in a file and name that`,
        )
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
  return Buffer.concat(chunks, bytes)
}
