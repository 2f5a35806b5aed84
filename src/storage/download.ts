/**
 * An object to a file, however often the connection breaks.
 *
 * **Guarantees:** the file appears under its name only when all of it has arrived and its SHA-256 (or MD5) is what the
 * store says; a transfer that broke off goes on where it stopped, also in another process, as long as the object is the
 * same; an object larger than the disk is not begun.
 */
import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Files } from '../effects.js'
import { FoldError, systemCode, toFoldError } from '../errors.js'
import { formatSize } from '../machine/size.js'
import { ObjectChanged, type Bucket, type Reading } from './bucket.js'
import { Interrupted } from './failures.js'
import { IDLE_TIME } from './http.js'
import { SHA256 } from './metadata.js'
import { retry, type RetryOptions } from './retry.js'

/** What arrived. */
export interface Downloaded {
  bytes: number
  sha256: string
  metadata: Readonly<Record<string, string>>
}

/** Options of {@link download}. */
export interface DownloadOptions extends RetryOptions {
  files: Files
  /** Refuses larger objects. */
  maxBytes?: number | undefined
  idleTime?: number | undefined
}

const ROUNDS = 3
const RESERVE_BYTES = 64 << 20

/** Copies the object to `to`, replacing nothing but what an earlier attempt has left. */
export async function download(
  bucket: Bucket,
  key: string,
  to: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  const what = `reading ${bucket.url}${key === '' ? '' : `/${key}`}`
  const began = options.began ?? options.world.now()
  for (let round = 1; ; round += 1) {
    const partial = await Partial.open(`${to}.part`, options.files)
    try {
      const reading = await retry(what, (signal) => attempt(bucket, key, partial, { ...options, signal }), {
        ...options,
        began,
      })
      const { sha256, md5 } = partial.digests()
      const expected = reading.metadata[SHA256]
      const same = expected === undefined ? (reading.md5 ?? md5) === md5 : expected === sha256
      if (same) {
        await partial.finish(to)
        return { bytes: partial.bytes, sha256, metadata: reading.metadata }
      }
    } finally {
      await partial.close()
    }
    await options.files.rm(`${to}.part`, { force: true })
    if (round === ROUNDS) {
      throw new FoldError(
        'TRANSFER_DAMAGED',
        `${what} gave ${ROUNDS} times other bytes than were stored, by their checksum; store the object again`,
      )
    }
  }
}

/** One connection: from where the file ends to the end of the object. */
async function attempt(
  bucket: Bucket,
  key: string,
  partial: Partial,
  { files, maxBytes = Infinity, idleTime = IDLE_TIME, signal }: DownloadOptions,
): Promise<Reading> {
  let reading: Reading
  try {
    reading = await bucket.read(key, { from: partial.bytes, tag: partial.tag, signal })
  } catch (error) {
    if (!(error instanceof ObjectChanged)) throw error
    await partial.restart(undefined)
    reading = await bucket.read(key, { from: 0, signal })
  }
  try {
    const { total, tag } = reading
    if (total > maxBytes) {
      throw new FoldError(
        'INPUT_TOO_LARGE',
        `${bucket.url}/${key} has ${formatSize(total)}, and ${formatSize(maxBytes)} are the most`,
      )
    }
    if (partial.bytes === 0) await partial.restart(tag)
    await refuseFull(files, partial.path, total - partial.bytes)
    await copy(reading, partial, idleTime, signal)
    if (partial.bytes !== total) {
      const got = partial.bytes
      // More than the object has: nothing of it can be trusted.
      if (got > total) await partial.restart(undefined)
      throw new Interrupted(`${got} bytes of ${total} arrived`)
    }
    return reading
  } finally {
    reading.close()
  }
}

async function copy(
  reading: Reading,
  partial: Partial,
  idleTime: number,
  signal: AbortSignal,
): Promise<void> {
  let why: Error | undefined
  // Closing ends the loop below; nothing else does while nothing arrives.
  const stop = (reason: Error) => {
    why ??= reason
    reading.close()
  }
  const timer = setTimeout(() => stop(new Interrupted(`nothing arrived for ${idleTime / 1000} s`)), idleTime)
  const aborted = () => stop(signal.reason as Error)
  signal.addEventListener('abort', aborted)
  try {
    for await (const chunk of reading.body) {
      timer.refresh()
      await partial.write(chunk)
      if (partial.bytes > reading.total) break
    }
  } catch (error) {
    throw why ?? error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', aborted)
  }
  if (why) throw why
}

async function refuseFull(files: Files, path: string, needed: number): Promise<void> {
  const { bavail, bsize } = await files.statfs(dirname(path))
  if (needed + RESERVE_BYTES > bavail * bsize) {
    throw new FoldError(
      'DISK_FULL',
      `${formatSize(needed)} are still to come to ${path}, and ${formatSize(bavail * bsize)} are free; ` +
        'free some space and start again',
    )
  }
}

/** A file that grows, with its sums and the tag of its object beside it. */
class Partial {
  readonly path: string
  bytes = 0
  tag: string | undefined
  readonly #files: Files
  #handle: FileHandle | undefined
  #sha256: Hash = createHash('sha256')
  #md5: Hash = createHash('md5')

  private constructor(path: string, files: Files) {
    this.path = path
    this.#files = files
  }

  /** With what an earlier attempt has left, if that can be told to be of the same object. */
  static async open(path: string, files: Files): Promise<Partial> {
    const partial = new Partial(path, files)
    try {
      const tag = await files.readFile(`${path}.tag`, 'utf8').catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error
      })
      if (tag === undefined || tag === '') {
        await partial.restart(undefined)
        return partial
      }
      partial.#handle = await files.open(path, 'a+')
      partial.tag = tag
      await partial.#readBack()
      return partial
    } catch (error) {
      await partial.close()
      throw toFoldError(error)
    }
  }

  async #readBack(): Promise<void> {
    const buffer = Buffer.allocUnsafe(1 << 20)
    for (;;) {
      const { bytesRead } = (await this.#handle?.read(buffer, 0, buffer.length, this.bytes)) ?? {
        bytesRead: 0,
      }
      if (bytesRead === 0) return
      this.#count(buffer.subarray(0, bytesRead))
    }
  }

  /** From nothing, for the object with this tag. */
  async restart(tag: string | undefined): Promise<void> {
    await this.close()
    this.bytes = 0
    this.tag = tag
    this.#sha256 = createHash('sha256')
    this.#md5 = createHash('md5')
    this.#handle = await this.#files.open(this.path, 'w')
    if (tag === undefined) await this.#files.rm(`${this.path}.tag`, { force: true })
    else await this.#files.writeFile(`${this.path}.tag`, tag)
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#handle?.writeFile(chunk)
    } catch (error) {
      throw toFoldError(error)
    }
    this.#count(chunk)
  }

  #count(chunk: Uint8Array): void {
    this.bytes += chunk.length
    this.#sha256.update(chunk)
    this.#md5.update(chunk)
  }

  digests(): { sha256: string; md5: string } {
    return { sha256: this.#sha256.copy().digest('hex'), md5: this.#md5.copy().digest('hex') }
  }

  async finish(to: string): Promise<void> {
    await this.#handle?.sync()
    await this.close()
    await this.#files.rename(this.path, to)
    await this.#files.rm(`${this.path}.tag`, { force: true })
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
  }
}
