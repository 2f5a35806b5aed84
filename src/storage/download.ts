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

/** Options of {@link receive}. */
export interface ReceiveOptions extends RetryOptions {
  /** Refuses larger objects. */
  maxBytes?: number | undefined
  idleTime?: number | undefined
  /** Told now and then how many bytes have arrived, of how many. */
  onBytes?: ((done: number, total: number) => void) | undefined
}

/** Options of {@link download}. */
export interface DownloadOptions extends ReceiveOptions {
  files: Files
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
      const reading = await receive(bucket, key, partial, { ...options, began })
      const { sha256, md5 } = partial.digests()
      const same = comparesMd5(reading)
        ? reading.md5 === md5
        : (reading.metadata[SHA256] ?? sha256) === sha256
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

/** Whether there is no better sum than the MD5. */
function comparesMd5({ md5, metadata }: Reading): boolean {
  return md5 !== undefined && metadata[SHA256] === undefined
}

/** Where the bytes of an object go. */
export interface Target {
  /** Bytes that it has. */
  readonly bytes: number
  /** The tag of the object that they are of. */
  readonly tag: string | undefined
  /** Lets go of what it has, for the object with this tag. */
  restart(tag: string | undefined): Promise<void>
  /** Told before so many bytes come in this attempt, and what the store says of them. */
  expect(bytes: number, reading: Reading): Promise<void>
  /** Takes the next bytes; resolves when more may come. */
  write(chunk: Uint8Array): Promise<void>
}

/** Brings all bytes of an object, however often the connection breaks. */
export async function receive(
  bucket: Bucket,
  key: string,
  target: Target,
  options: ReceiveOptions,
): Promise<Reading> {
  const what = `reading ${bucket.url}${key === '' ? '' : `/${key}`}`
  return retry(what, (signal) => attempt(bucket, key, target, { ...options, signal }), options)
}

/** One connection: from where the target ends to the end of the object. */
async function attempt(
  bucket: Bucket,
  key: string,
  target: Target,
  { maxBytes = Infinity, idleTime = IDLE_TIME, signal, onBytes }: ReceiveOptions,
): Promise<Reading> {
  let reading: Reading
  try {
    reading = await bucket.read(key, { from: target.bytes, tag: target.tag, signal })
  } catch (error) {
    if (!(error instanceof ObjectChanged)) throw error
    await target.restart(undefined)
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
    if (target.bytes === 0) await target.restart(tag)
    await target.expect(total - target.bytes, reading)
    await copy(reading, target, idleTime, signal, onBytes)
    if (target.bytes !== total) {
      const got = target.bytes
      // More than the object has: nothing of it can be trusted.
      if (got > total) await target.restart(undefined)
      throw new Interrupted(`${got} bytes of ${total} arrived`)
    }
    return reading
  } finally {
    reading.close()
  }
}

async function copy(
  reading: Reading,
  target: Target,
  idleTime: number,
  signal: AbortSignal,
  onBytes: ReceiveOptions['onBytes'],
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
      await target.write(chunk)
      onBytes?.(target.bytes, reading.total)
      if (target.bytes > reading.total) break
    }
  } catch (error) {
    throw why ?? error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', aborted)
  }
  if (why) throw why
}

/** A file that grows, with its sums and the tag of its object beside it. */
class Partial implements Target {
  readonly path: string
  bytes = 0
  tag: string | undefined
  readonly #files: Files
  #handle: FileHandle | undefined
  #sha256: Hash = createHash('sha256')
  /** Kept only where the store knows nothing better: it takes longer than all the rest. */
  #md5: Hash | undefined

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
      partial.bytes = await partial.#readBack(partial.#sha256)
      return partial
    } catch (error) {
      await partial.close()
      throw toFoldError(error)
    }
  }

  /** Sums what is there; resolves to how much that is. */
  async #readBack(sum: Hash): Promise<number> {
    const buffer = Buffer.allocUnsafe(1 << 20)
    for (let at = 0; ;) {
      const { bytesRead = 0 } = (await this.#handle?.read(buffer, 0, buffer.length, at)) ?? {}
      if (bytesRead === 0) return at
      sum.update(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
  }

  /** From nothing, for the object with this tag. */
  async restart(tag: string | undefined): Promise<void> {
    await this.close()
    this.bytes = 0
    this.tag = tag
    this.#sha256 = createHash('sha256')
    this.#md5 = undefined
    this.#handle = await this.#files.open(this.path, 'w+')
    if (tag === undefined) await this.#files.rm(`${this.path}.tag`, { force: true })
    else await this.#files.writeFile(`${this.path}.tag`, tag)
  }

  async expect(needed: number, reading: Reading): Promise<void> {
    if (comparesMd5(reading) && !this.#md5) {
      this.#md5 = createHash('md5')
      await this.#readBack(this.#md5)
    }
    const { bavail, bsize } = await this.#files.statfs(dirname(this.path))
    if (needed + RESERVE_BYTES > bavail * bsize) {
      throw new FoldError(
        'DISK_FULL',
        `${formatSize(needed)} are still to come to ${this.path}, and ${formatSize(bavail * bsize)} are free; ` +
          'free some space and start again',
      )
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#handle?.writeFile(chunk)
    } catch (error) {
      throw toFoldError(error)
    }
    this.bytes += chunk.length
    this.#sha256.update(chunk)
    this.#md5?.update(chunk)
  }

  digests(): { sha256: string; md5: string | undefined } {
    return { sha256: this.#sha256.copy().digest('hex'), md5: this.#md5?.copy().digest('hex') }
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
