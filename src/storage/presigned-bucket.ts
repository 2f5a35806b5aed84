/**
 * The one object that a presigned URL is for: to be read, or to be stored.
 *
 * A presigned URL cannot carry metadata, so archives have theirs in their footer. What was stored is checked by the
 * MD5 that the server answers; that an object is there already, by `If-None-Match`.
 */
import { createHash } from 'node:crypto'
import type { Files } from '../effects.js'
import { FoldError } from '../errors.js'
import {
  ObjectChanged,
  type Bucket,
  type ObjectHead,
  type ObjectInfo,
  type ReadOptions,
  type Reading,
  type Upload,
} from './bucket.js'
import { HttpFailure, Interrupted } from './failures.js'
import { request } from './http.js'
import { ARCHIVE_TYPE } from './metadata.js'
import { retry, type RetryOptions } from './retry.js'

const LARGEST_PUT = 5 * 2 ** 30

export class PresignedBucket implements Bucket {
  /** Without the signature, which is a secret while it is valid. */
  readonly url: string
  readonly #signed: string
  readonly #files: Files
  readonly #retrying: Omit<RetryOptions, 'signal'>
  readonly #now: () => number

  /** `now` gives the milliseconds since 1970. */
  constructor(signed: string, files: Files, now: () => number, retrying: Omit<RetryOptions, 'signal'>) {
    const { origin, pathname } = new URL(signed)
    this.url = origin + pathname
    this.#signed = signed
    this.#files = files
    this.#now = now
    this.#retrying = retrying
  }

  // oxlint-disable-next-line require-yield -- there is nothing that it could yield
  async *list(): AsyncGenerator<ObjectInfo, void, undefined> {
    throw new FoldError('INVALID_ARGUMENT', `${this.url} is a presigned URL: it cannot list what there is`)
  }

  async head(): Promise<ObjectHead | undefined> {
    throw new FoldError('STORAGE_DENIED', `${this.url} is a presigned URL: it cannot ask about what is there`)
  }

  async read(_key: string, { from = 0, last, tag, signal }: ReadOptions): Promise<Reading> {
    this.#refuseExpired()
    const range = last === undefined ? (from > 0 ? `bytes=${from}-` : undefined) : `bytes=-${last}`
    const headers = { ...(range && { range }), ...(tag && { 'if-match': tag }) }
    const response = await request('GET', this.#signed, headers, signal).catch((error: unknown) => {
      if (error instanceof HttpFailure && (error.status === 412 || error.status === 416)) {
        throw new ObjectChanged(`${this.url} has changed`)
      }
      throw error
    })
    const length = Number(response.headers['content-length'])
    const whole = /\/(\d+)$/.exec(response.headers['content-range'] ?? '')?.[1]
    // A server without ranges sends all of it.
    if (range && response.statusCode !== 206) throw new ObjectChanged(`${this.url} cannot be read in parts`)
    if (!Number.isSafeInteger(length) && whole === undefined) {
      response.destroy()
      throw new Interrupted('the answer does not say how long it is')
    }
    const etag = response.headers.etag
    return {
      body: response,
      total: whole === undefined ? length : Number(whole),
      tag: etag,
      md5: md5Of(etag, response.headers['x-amz-server-side-encryption']),
      metadata: {},
      close: () => response.destroy(),
    }
  }

  async create(_key: string, upload: Upload, signal: AbortSignal): Promise<'created' | 'exists'> {
    if (upload.bytes > LARGEST_PUT) {
      throw new FoldError(
        'STORAGE_FAILED',
        `${upload.path} is larger than the 5 GiB that a presigned URL can take; ` +
          'it is kept on this disk, and can be stored with keys',
      )
    }
    const { md5, base64 } = await this.#md5(upload.path)
    let uncertain = false
    return retry(
      `storing ${this.url}`,
      async (attempt) => {
        this.#refuseExpired()
        const headers = {
          'content-length': String(upload.bytes),
          'content-md5': base64,
          'content-type': upload.type ?? ARCHIVE_TYPE,
          // The URL is for this job alone, so what an earlier run of it has stored is no stranger's.
          ...(!upload.mayHaveStored && { 'if-none-match': '*' }),
        }
        try {
          const response = await request('PUT', this.#signed, headers, attempt, this.#bytes(upload.path))
          response.resume()
          const stored = md5Of(response.headers.etag, response.headers['x-amz-server-side-encryption'])
          if (stored !== undefined && stored !== md5)
            throw new Interrupted('another MD5 was stored than was sent')
          return 'created'
        } catch (error) {
          // An earlier attempt whose answer was lost may have stored it.
          if (error instanceof HttpFailure && error.status === 412) return uncertain ? 'created' : 'exists'
          if (!(error instanceof HttpFailure) || error.status >= 500) uncertain = true
          throw error
        }
      },
      { ...this.#retrying, signal },
    )
  }

  async *#bytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const handle = await this.#files.open(path, 'r')
    try {
      for (;;) {
        const buffer = Buffer.allocUnsafe(1 << 20)
        const { bytesRead } = await handle.read(buffer, 0, buffer.length)
        if (bytesRead === 0) return
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await handle.close()
    }
  }

  async #md5(path: string): Promise<{ md5: string; base64: string }> {
    const sum = createHash('md5')
    for await (const chunk of this.#bytes(path)) sum.update(chunk)
    const digest = sum.digest()
    return { md5: digest.toString('hex'), base64: digest.toString('base64') }
  }

  /** The server says only that it refuses; the URL itself says why. */
  #refuseExpired(): void {
    const expiry = expiryOf(this.#signed)
    if (expiry !== undefined && this.#now() > expiry) {
      throw new FoldError(
        'URL_EXPIRED',
        `the presigned URL for ${this.url} was valid until ${new Date(expiry).toISOString()}; make a new one`,
      )
    }
  }
}

/** When a presigned URL ends to be valid, in milliseconds since 1970, if it says so. */
export function expiryOf(url: string): number | undefined {
  const query = new URL(url).searchParams
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '') ?? []
  const seconds = Number(query.get('X-Amz-Expires') ?? Number.NaN)
  if (year === undefined || !Number.isFinite(seconds)) return undefined
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) + seconds * 1000
}

/** The MD5 in an entity tag, unless the object was stored in parts or encrypted: then the tag is something else. */
export function md5Of(etag: string | undefined, encryption: unknown): string | undefined {
  const md5 = /^"?([0-9a-f]{32})"?$/.exec(etag ?? '')?.[1]
  return typeof encryption === 'string' && encryption !== 'AES256' ? undefined : md5
}
