/**
 * A bucket behind an S3 interface, by the AWS SDK.
 *
 * **Cost:** the SDK is loaded with the first call (some 200 ms); an upload holds {@link PARALLEL_PARTS} parts of 8 MiB.
 *
 * **Creating without overwriting.** A file of one part is stored with `If-None-Match: *`, which the server decides. Servers
 * ignore that for uploads in parts; so the name is taken first by an empty object, stored that way, and the upload then
 * replaces what only it has made. Whoever lists archives passes empty objects over.
 */
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import type { Files } from '../effects.js'
import { FoldError } from '../errors.js'
import { ObjectChanged, type Bucket, type ObjectHead, type ObjectInfo } from './bucket.js'
import type { ReadOptions, Reading, Upload } from './bucket.js'
import { Interrupted, httpFailure } from './failures.js'
import { IDLE_TIME } from './http.js'
import { ARCHIVE_TYPE, SHA256 } from './metadata.js'
import { md5Of } from './presigned-bucket.js'
import { retry, type RetryOptions } from './retry.js'
import type { S3Settings } from './settings.js'

export const PART_BYTES = 8 << 20
const PARALLEL_PARTS = 4
const MOST_PARTS = 9000
const CONNECT_TIME = 10_000
/** For giving back what a failed upload has left: nobody waits longer for that. */
const ABORT_PATIENCE = { attempt: 5000, whole: 15_000 }

type Sdk = typeof import('@aws-sdk/client-s3')

/** One client for all buckets of an endpoint, made when it is first needed. */
export class S3Connection {
  readonly #settings: S3Settings
  #opened: Promise<{ sdk: Sdk; client: S3Client }> | undefined

  constructor(settings: S3Settings) {
    this.#settings = settings
  }

  open(): Promise<{ sdk: Sdk; client: S3Client }> {
    return (this.#opened ??= this.#connect())
  }

  async #connect(): Promise<{ sdk: Sdk; client: S3Client }> {
    const sdk = await import('@aws-sdk/client-s3')
    const { endpoint, region, accessKey, secretKey } = this.#settings
    const config: S3ClientConfig = {
      endpoint,
      region,
      credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      forcePathStyle: true,
      // Retrying is done in one place, retry.ts.
      maxAttempts: 1,
      // With the defaults, Ceph answers streams with 411.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_TIME, socketTimeout: IDLE_TIME },
    }
    return { sdk, client: new sdk.S3Client(config) }
  }
}

export class S3Bucket implements Bucket {
  readonly url: string
  readonly name: string
  readonly #connection: S3Connection
  readonly #files: Files
  readonly #retrying: Omit<RetryOptions, 'signal'>
  /** Without it, the owner of the bucket could not read what a restricted key has stored. */
  #acl: 'bucket-owner-full-control' | undefined = 'bucket-owner-full-control'

  constructor(name: string, connection: S3Connection, files: Files, retrying: Omit<RetryOptions, 'signal'>) {
    this.url = `s3://${name}`
    this.name = name
    this.#connection = connection
    this.#files = files
    this.#retrying = retrying
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo, void, undefined> {
    const { sdk, client } = await this.#connection.open()
    let token: string | undefined
    do {
      const page = await this.#retry(`listing ${this.url}`, signal, (abortSignal) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: this.name,
            Prefix: prefix,
            // Keys with control characters cannot be written in XML.
            EncodingType: 'url',
            ...(token !== undefined && { ContinuationToken: token }),
          }),
          { abortSignal },
        ),
      )
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key === undefined) continue
        const key = page.EncodingType === 'url' ? decodeKey(Key) : Key
        yield { key, bytes: Size ?? 0, modified: LastModified?.getTime() ?? 0 }
      }
      const next = page.IsTruncated ? page.NextContinuationToken : undefined
      if (page.IsTruncated && (next === undefined || next === token)) {
        throw new FoldError(
          'STORAGE_FAILED',
          `listing ${this.url} failed: the storage gives the same page again`,
        )
      }
      token = next
    } while (token !== undefined)
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
    const { sdk, client } = await this.#connection.open()
    return this.#retry(`asking about ${this.url}/${key}`, signal, async (abortSignal) => {
      try {
        const command = new sdk.HeadObjectCommand({ Bucket: this.name, Key: key })
        const { ContentLength, LastModified, Metadata } = await client.send(command, { abortSignal })
        return {
          key,
          bytes: ContentLength ?? 0,
          modified: LastModified?.getTime() ?? 0,
          metadata: Metadata ?? {},
        }
      } catch (error) {
        if (httpFailure(error)?.status === 404) return undefined
        throw error
      }
    })
  }

  async read(key: string, { from = 0, last, tag, signal }: ReadOptions): Promise<Reading> {
    const { sdk, client } = await this.#connection.open()
    const range = last === undefined ? (from > 0 ? `bytes=${from}-` : undefined) : `bytes=-${last}`
    const command = new sdk.GetObjectCommand({
      Bucket: this.name,
      Key: key,
      ...(range && { Range: range }),
      ...(tag && { IfMatch: tag }),
    })
    const answer = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      const status = httpFailure(error)?.status
      if (tag && (status === 412 || status === 416)) throw new ObjectChanged(`${this.url}/${key} has changed`)
      throw error
    })
    const body = answer.Body as (AsyncIterable<Uint8Array> & { destroy(): void }) | undefined
    const whole = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1]
    const total = whole === undefined ? answer.ContentLength : Number(whole)
    if (!body || total === undefined || (from > 0 && whole === undefined)) {
      body?.destroy()
      if (body && from > 0) throw new ObjectChanged(`${this.url}/${key} cannot be read in parts`)
      throw new Interrupted('the answer does not say how long it is')
    }
    return {
      body,
      total,
      tag: answer.ETag,
      md5: md5Of(answer.ETag, answer.ServerSideEncryption),
      metadata: answer.Metadata ?? {},
      close: () => body.destroy(),
    }
  }

  async create(key: string, upload: Upload, signal: AbortSignal): Promise<'created' | 'exists'> {
    if (upload.bytes <= PART_BYTES) {
      const whole = await this.#part(upload.path, 0, upload.bytes)
      return this.#putIfAbsent(key, whole, upload, signal)
    }
    const empty = { ...upload, bytes: 0, metadata: { 'fold-reserved-for': upload.sha256 } }
    const reserved = await this.#putIfAbsent(key, Buffer.alloc(0), empty, signal)
    if (reserved === 'created') await this.#putParts(key, upload, signal)
    return reserved
  }

  async #putIfAbsent(
    key: string,
    body: Buffer,
    { bytes, metadata, type = ARCHIVE_TYPE }: Pick<Upload, 'bytes' | 'metadata' | 'type'>,
    signal: AbortSignal,
  ): Promise<'created' | 'exists'> {
    const { sdk, client } = await this.#connection.open()
    return this.#retry(`storing ${this.url}/${key}`, signal, async (abortSignal) => {
      const put = () =>
        client.send(
          new sdk.PutObjectCommand({
            Bucket: this.name,
            Key: key,
            Body: body,
            ContentLength: bytes,
            ContentType: type,
            IfNoneMatch: '*',
            Metadata: { ...metadata },
            ...(this.#acl && { ACL: this.#acl }),
          }),
          { abortSignal },
        )
      try {
        await this.#withoutAclIfRefused(put)
        return 'created'
      } catch (error) {
        if (httpFailure(error)?.status !== 412) throw error
        return (await this.#holds(key, bytes, metadata, abortSignal)) ? 'created' : 'exists'
      }
    })
  }

  /** Whether the object is the one of this metadata: then an attempt whose answer was lost has stored it. */
  async #holds(
    key: string,
    bytes: number,
    metadata: Upload['metadata'],
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const head = await this.head(key, signal)
      const mark = metadata[SHA256] === undefined ? 'fold-reserved-for' : SHA256
      return head?.bytes === bytes && head.metadata[mark] === metadata[mark]
    } catch (error) {
      // A key that may only write cannot know; another name does no harm.
      if (error instanceof FoldError && error.code === 'STORAGE_DENIED') return false
      throw error
    }
  }

  /** Some servers know no access lists, or deny setting them. */
  async #withoutAclIfRefused<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      const answer = httpFailure(error)
      const refused =
        answer?.status === 403 || answer?.status === 501 || answer?.reason === 'AccessControlListNotSupported'
      if (!this.#acl || !refused || answer?.reason === 'InvalidAccessKeyId') throw error
      this.#acl = undefined
      try {
        return await call()
      } catch (again) {
        this.#acl = 'bucket-owner-full-control'
        throw again
      }
    }
  }

  async #putParts(key: string, upload: Upload, signal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#connection.open()
    const target = { Bucket: this.name, Key: key }
    const what = `storing ${this.url}/${key}`
    const began = this.#retrying.world.now()
    const { UploadId } = await this.#retry(what, signal, (abortSignal) =>
      this.#withoutAclIfRefused(() =>
        client.send(
          new sdk.CreateMultipartUploadCommand({
            ...target,
            ContentType: upload.type ?? ARCHIVE_TYPE,
            Metadata: { ...upload.metadata },
            ...(this.#acl && { ACL: this.#acl }),
          }),
          { abortSignal },
        ),
      ),
    )
    try {
      const Parts = await this.#sendParts({ ...target, UploadId }, upload, what, signal, began)
      await this.#retry(
        what,
        signal,
        async (abortSignal) => {
          const complete = new sdk.CompleteMultipartUploadCommand({
            ...target,
            UploadId,
            MultipartUpload: { Parts },
          })
          try {
            await client.send(complete, { abortSignal })
          } catch (error) {
            // Done already, if the answer to an earlier attempt was lost.
            const gone = httpFailure(error)?.status === 404
            if (!gone || !(await this.#holds(key, upload.bytes, upload.metadata, abortSignal))) throw error
          }
        },
        began,
      )
    } catch (error) {
      await this.#abort({ ...target, UploadId })
      throw error
    }
  }

  async #sendParts(
    target: { Bucket: string; Key: string; UploadId: string | undefined },
    upload: Upload,
    what: string,
    signal: AbortSignal,
    began: number,
  ): Promise<{ PartNumber: number; ETag: string | undefined }[]> {
    const { sdk, client } = await this.#connection.open()
    const size = partSize(upload.bytes)
    const parts: { PartNumber: number; ETag: string | undefined }[] = []
    const count = Math.ceil(upload.bytes / size)
    const stop = new AbortController()
    const forward = () => stop.abort(signal.reason)
    signal.addEventListener('abort', forward)
    let next = 0
    const worker = async () => {
      while (next < count) {
        const index = next
        next += 1
        const Body = await this.#part(upload.path, index * size, Math.min(size, upload.bytes - index * size))
        const { ETag } = await this.#retry(
          what,
          stop.signal,
          (abortSignal) =>
            client.send(
              new sdk.UploadPartCommand({
                ...target,
                PartNumber: index + 1,
                Body,
                ContentLength: Body.length,
              }),
              { abortSignal },
            ),
          began,
        )
        parts[index] = { PartNumber: index + 1, ETag }
      }
    }
    try {
      const workers = Array.from({ length: Math.min(PARALLEL_PARTS, count) }, () =>
        worker().catch((error: unknown) => {
          stop.abort(error)
          throw error
        }),
      )
      // All have ended before anybody goes on: none sends a part of an upload that is given up.
      const results = await Promise.allSettled(workers)
      if (stop.signal.aborted && !signal.aborted) throw stop.signal.reason
      for (const result of results) if (result.status === 'rejected') throw result.reason
      return parts
    } finally {
      signal.removeEventListener('abort', forward)
    }
  }

  /** Parts of an upload that is not completed cost money. */
  async #abort(target: { Bucket: string; Key: string; UploadId: string | undefined }): Promise<void> {
    const { sdk, client } = await this.#connection.open()
    try {
      await retry(
        `giving up an upload to ${this.url}`,
        (abortSignal) => client.send(new sdk.AbortMultipartUploadCommand(target), { abortSignal }),
        { world: this.#retrying.world, patience: ABORT_PATIENCE, signal: new AbortController().signal },
      )
    } catch {
      // The failure that led here is what counts; the bucket's lifecycle rule removes what is left.
    }
  }

  async #part(path: string, from: number, bytes: number): Promise<Buffer> {
    const handle = await this.#files.open(path, 'r')
    try {
      const buffer = Buffer.allocUnsafe(bytes)
      for (let filled = 0; filled < bytes;) {
        const { bytesRead } = await handle.read(buffer, filled, bytes - filled, from + filled)
        if (bytesRead === 0) throw new FoldError('DAMAGED', `${path} became shorter while it was stored`)
        filled += bytesRead
      }
      return buffer
    } finally {
      await handle.close()
    }
  }

  #retry<T>(
    what: string,
    signal: AbortSignal,
    attempt: (signal: AbortSignal) => Promise<T>,
    began?: number,
  ): Promise<T> {
    return retry(what, attempt, { ...this.#retrying, signal, ...(began !== undefined && { began }) })
  }
}

/** Parts of 8 MiB, or larger if there would be more than a server takes. */
export function partSize(bytes: number): number {
  const least = Math.ceil(bytes / MOST_PARTS)
  return Math.max(PART_BYTES, Math.ceil(least / (1 << 20)) * (1 << 20))
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}
