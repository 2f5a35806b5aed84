/**
 * The two buckets of the work: inputs to read, archives to store. S3, directories or presigned URLs, by the environment.
 *
 * **Guarantees:** an archive is never overwritten; what is stored is asked about before it counts as stored; what is
 * read is checked against its checksum; everything has a limit in time.
 *
 * **Cost:** one part of a file at a time for reading, four for storing; asking about archives, a request for each.
 */
import { createHash } from 'node:crypto'
import { LONGEST_FOOTER, parseFooter, type ArchiveFacts } from '../archiving/facts.js'
import type { CompressedArchive } from '../archiving/compress.js'
import { machine, clock, type Files } from '../effects.js'
import { FoldError, throwIfAborted } from '../errors.js'
import type { ArchiveSummary } from '../manifest.js'
import type { Bucket, ObjectInfo, Reading } from './bucket.js'
import { DirectoryBucket } from './directory-bucket.js'
import { download, type Downloaded } from './download.js'
import { Interrupted } from './failures.js'
import { fetchArchive } from './fetch-archive.js'
import { SHA256, factsOfMetadata, metadataOf } from './metadata.js'
import { INPUT_EXTENSION, archiveKey, nameOfInput, parseArchiveKey, type Shard } from './names.js'
import { PresignedBucket } from './presigned-bucket.js'
import { retry, type RetryOptions, type RetryWorld } from './retry.js'
import { S3Bucket, S3Connection } from './s3-bucket.js'
import { storageSettings, type Environment, type StorageSettings } from './settings.js'

/** An input as a listing shows it. */
export interface StoredInput extends ObjectInfo {
  /** What archives call it. */
  name: string
}

/** An archive as a listing shows it. */
export interface StoredArchive extends ObjectInfo {
  /** Unix seconds, by its name. */
  timestamp: number
  /** The input's name, by the facts, or else by the archive's own. */
  inputName: string
  /** Undefined if it has none: other tools made it. */
  facts: ArchiveFacts | undefined
}

/** Where an archive has been stored. */
export interface Stored {
  url: string
  key: string
  bytes: number
  /** `head`: the store was asked and has it. `answer`: the key may not ask; the server accepted the checksum. */
  checked: 'head' | 'answer'
}

/** Options of operations that take long. */
export interface TransferOptions {
  signal?: AbortSignal | undefined
  /** Told now and then how many bytes have been moved, of how many. */
  onBytes?: ((done: number, total: number) => void) | undefined
}

/** Options of {@link S3IO.uploadArchive}. */
export interface UploadOptions {
  /** The input's key less `.txt`. */
  inputName: string
  shard?: Shard | undefined
  /** Which of the presigned URLs. */
  index?: number | undefined
  /** With a presigned URL: whether an earlier run of the same job may have stored its result there. */
  mayHaveStored?: boolean | undefined
}

/** What is needed of the world. */
export interface StorageWorld extends RetryWorld {
  files: Files
  /** Milliseconds since 1970. */
  time(): number
}

const ATTEMPT_TIME = 300_000
const PARALLEL_QUESTIONS = 16
const MOST_NAMES = 1000
const STORE_ROUNDS = 3

/** Storage. Made by {@link S3IO.fromEnv}. */
export class S3IO {
  readonly settings: StorageSettings
  readonly #world: StorageWorld
  readonly #connection: S3Connection | undefined
  readonly #onRetry: RetryOptions['onRetry']

  constructor(settings: StorageSettings, world: StorageWorld, onRetry?: RetryOptions['onRetry']) {
    this.settings = settings
    this.#world = world
    this.#onRetry = onRetry
    this.#connection = settings.kind === 's3' ? new S3Connection(settings) : undefined
  }

  /** From variables: see docs/cloud.md. All that is wrong with them is in one error. */
  static fromEnv(
    env: Environment,
    options: { world?: StorageWorld; onRetry?: RetryOptions['onRetry'] } = {},
  ): S3IO {
    const problems: string[] = []
    const settings = storageSettings(env, problems)
    if (!settings) throw environmentError(problems)
    return new S3IO(settings, options.world ?? realWorld(), options.onRetry)
  }

  /** The inputs whose key begins with the prefix: all objects that end in `.txt`. */
  async *listInputs(
    prefix = '',
    { signal = never() }: TransferOptions = {},
  ): AsyncGenerator<StoredInput, void, undefined> {
    for await (const info of this.inputs().list(prefix, signal)) {
      if (info.key.endsWith(INPUT_EXTENSION)) yield { ...info, name: nameOfInput(info.key) }
    }
  }

  /** Copies an input to a file; `input` is a key or `s3://bucket/key`. */
  async downloadInput(
    input: string,
    to: string,
    { signal = never(), index = 0 }: TransferOptions & { index?: number } = {},
  ): Promise<Downloaded> {
    const { bucket, key } =
      this.settings.kind === 'presigned' ? { bucket: undefined, key: '' } : parseInput(input)
    return download(this.inputs(bucket, index), key, to, { ...this.#options(signal, 'long') })
  }

  /**
   * Stores a compressed archive under the first free name from now on, and makes sure that it is there. The first of
   * two workers that finish in the same second gets the name, the other the next.
   */
  async uploadArchive(
    archive: CompressedArchive,
    {
      inputName,
      shard,
      signal = never(),
      index = 0,
      mayHaveStored = false,
      onBytes,
    }: TransferOptions & UploadOptions,
  ): Promise<Stored> {
    const bucket = this.archives(index)
    const upload = {
      path: archive.path,
      bytes: archive.bytes,
      sha256: archive.sha256,
      metadata: metadataOf(archive),
      mayHaveStored,
      onBytes: onBytes && ((done: number) => onBytes(done, archive.bytes)),
    }
    let timestamp = Math.floor(this.#world.time() / 1000)
    for (let round = 1; ; round += 1) {
      let key = ''
      let outcome: 'created' | 'exists' = 'exists'
      for (let names = 0; outcome === 'exists'; names += 1) {
        key = archiveKey({ inputName, shard, timestamp })
        outcome = await bucket.create(key, upload, signal)
        timestamp += 1
        if (outcome === 'exists' && (this.settings.kind === 'presigned' || names === MOST_NAMES)) {
          throw new FoldError(
            'ARCHIVE_EXISTS',
            `${bucket.url} has something else already, which is not overwritten; the archive is kept at ${archive.path}`,
          )
        }
      }
      const checked = await this.#check(bucket, key, archive, signal)
      const url = this.settings.kind === 'presigned' ? bucket.url : `${bucket.url}/${key}`
      if (checked !== 'other') return { url, key, bytes: archive.bytes, checked }
      if (round === STORE_ROUNDS) {
        throw new FoldError(
          'TRANSFER_DAMAGED',
          `${url} has not what was stored, ${STORE_ROUNDS} times; the archive is kept at ${archive.path}`,
        )
      }
    }
  }

  /** Whether the store has the archive: by its metadata, or where there is none, by the end of the file. */
  async #check(
    bucket: Bucket,
    key: string,
    { bytes, sha256, facts }: CompressedArchive,
    signal: AbortSignal,
  ): Promise<'head' | 'answer' | 'other'> {
    try {
      const head = await bucket.head(key, signal)
      if (!head || head.bytes !== bytes) return 'other'
      if (this.settings.kind === 's3') return head.metadata[SHA256] === sha256 ? 'head' : 'other'
      const end = await this.#readEnd(bucket, key, signal)
      return parseFooter(end)?.facts.sha256 === facts.sha256 ? 'head' : 'other'
    } catch (error) {
      if (error instanceof FoldError && error.code === 'STORAGE_DENIED') return 'answer'
      throw error
    }
  }

  /** The archives whose key begins with the prefix, each asked for its facts, in order of their keys. */
  async *listArchives(
    prefix = '',
    { signal = never() }: TransferOptions = {},
  ): AsyncGenerator<StoredArchive, void, undefined> {
    const bucket = this.archives()
    const running: Promise<StoredArchive>[] = []
    for await (const info of bucket.list(prefix, signal)) {
      const name = parseArchiveKey(info.key)
      // An empty object is a name that a worker has taken and not filled.
      if (!name || info.bytes === 0) continue
      const asked = this.#ask(bucket, info, signal).then((facts) => ({
        ...info,
        facts,
        timestamp: name.timestamp,
        inputName: facts?.input?.name ?? name.inputName,
      }))
      asked.catch(() => undefined)
      running.push(asked)
      const first = running.length >= PARALLEL_QUESTIONS ? running.shift() : undefined
      if (first) yield await first
    }
    for (const asked of running) yield await asked
  }

  async #ask(bucket: Bucket, info: ObjectInfo, signal: AbortSignal): Promise<ArchiveFacts | undefined> {
    throwIfAborted(signal)
    const head = await bucket.head(info.key, signal)
    return (
      (head && factsOfMetadata(head.metadata)) ??
      parseFooter(await this.#readEnd(bucket, info.key, signal))?.facts
    )
  }

  async #readEnd(bucket: Bucket, key: string, signal: AbortSignal): Promise<Buffer> {
    const options = this.#options(signal, 'short')
    return this.#readAll(bucket, key, { last: LONGEST_FOOTER }, options, async ({ body }) => {
      const chunks: Uint8Array[] = []
      let bytes = 0
      for await (const chunk of body) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > LONGEST_FOOTER) return Buffer.alloc(0)
      }
      return Buffer.concat(chunks)
    })
  }

  /** Copies an archive to a file. Where the store has no checksum of it, unpacking finds what is damaged. */
  async downloadArchive(
    key: string,
    to: string,
    { signal = never(), onBytes }: TransferOptions = {},
  ): Promise<Downloaded> {
    return download(this.archives(), key, to, { ...this.#options(signal, 'long'), onBytes })
  }

  /** Brings an archive and unpacks it while it arrives; `out` is the archive directory to make. */
  async fetchArchive(
    key: string,
    out: string,
    { signal = never(), onBytes, durable = true }: TransferOptions & { durable?: boolean } = {},
  ): Promise<ArchiveSummary> {
    const bucket = this.archives()
    return fetchArchive(bucket, key, {
      ...this.#options(signal, 'long'),
      out,
      durable,
      onBytes,
      readEnd: () => this.#readEnd(bucket, key, signal),
    })
  }

  /** Stores a text as an input, under a key that nothing has. `same`: the text is there already. */
  async uploadInput(
    key: string,
    file: { path: string; bytes: number; sha256: string },
    { signal = never() }: TransferOptions = {},
  ): Promise<'created' | 'same' | 'exists'> {
    const bucket = this.inputs()
    const upload = { ...file, type: 'text/plain; charset=utf-8', metadata: { [SHA256]: file.sha256 } }
    const outcome = await bucket.create(key, upload, signal)
    if (outcome === 'created') return outcome
    return (await this.#digest(bucket, key, signal)) === file.sha256 ? 'same' : outcome
  }

  /** SHA-256 of an object: by its metadata, or else of what is read. */
  async #digest(bucket: Bucket, key: string, signal: AbortSignal): Promise<string | undefined> {
    const known = (await bucket.head(key, signal))?.metadata[SHA256]
    return known ?? this.#readAll(bucket, key, {}, this.#options(signal, 'long'), digestOf)
  }

  /** Reads an object, again from the start when the reading breaks off. */
  async #readAll<T>(
    bucket: Bucket,
    key: string,
    part: { last?: number },
    options: RetryOptions,
    take: (reading: Reading) => Promise<T>,
  ): Promise<T> {
    return retry(
      `reading ${bucket.url}/${key}`,
      async (attempt) => {
        const reading = await bucket.read(key, { ...part, signal: attempt })
        try {
          return await take(reading)
        } finally {
          reading.close()
        }
      },
      options,
    )
  }

  /** Presigned URLs by which a machine without keys reads the input and stores its archive. */
  async presign(
    inputKey: string,
    archive: string,
    seconds: number,
  ): Promise<{ inputUrl: string; archiveUrl: string }> {
    if (!this.#connection) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        'presigned URLs need a storage behind an S3 interface, with keys',
      )
    }
    const { sdk, client } = await this.#connection.open()
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
    const { inputBucket, archiveBucket } = this.settings
    const get = new sdk.GetObjectCommand({ Bucket: inputBucket, Key: inputKey })
    const put = new sdk.PutObjectCommand({ Bucket: archiveBucket, Key: archive })
    const [inputUrl, archiveUrl] = await Promise.all([
      getSignedUrl(client, get, { expiresIn: seconds }),
      getSignedUrl(client, put, { expiresIn: seconds }),
    ])
    return { inputUrl, archiveUrl }
  }

  /** The bucket of inputs, or another one for reading; with presigned URLs the one of this input. */
  inputs(name?: string, index = 0): Bucket {
    const { settings } = this
    return this.#bucket(
      name ?? settings.inputBucket,
      settings.kind === 'presigned' ? settings.inputs[index] : undefined,
    )
  }

  /** The bucket of archives; with presigned URLs that of the archive of this input. @internal */
  archives(index = 0): Bucket {
    const { settings } = this
    return this.#bucket(
      settings.archiveBucket,
      settings.kind === 'presigned' ? settings.archives[index] : undefined,
    )
  }

  #bucket(name: string, url: string | undefined): Bucket {
    const { settings } = this
    const { files } = this.#world
    const retrying = this.#options(never(), 'short')
    if (settings.kind === 'directory') return new DirectoryBucket(`${settings.path}/${name}`, files)
    if (settings.kind === 's3' && this.#connection)
      return new S3Bucket(name, this.#connection, files, retrying)
    if (url === undefined) {
      throw new FoldError('INVALID_ARGUMENT', 'there is no presigned URL for this; a listing needs keys')
    }
    return new PresignedBucket(url, files, () => this.#world.time(), this.#options(never(), 'long'))
  }

  #options(signal: AbortSignal, attempts: 'long' | 'short') {
    const whole = this.settings.transferTime
    const patience = { attempt: attempts === 'long' ? whole : Math.min(ATTEMPT_TIME, whole), whole }
    return { world: this.#world, files: this.#world.files, patience, signal, onRetry: this.#onRetry }
  }
}

/** The bucket and key that an input names. */
export function parseInput(input: string): { bucket: string | undefined; key: string } {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(input) ?? []
  return bucket !== undefined && key !== undefined ? { bucket, key } : { bucket: undefined, key: input }
}

/** One error for all that is wrong with the environment. */
export function environmentError(problems: readonly string[]): FoldError {
  return new FoldError(
    'ENVIRONMENT_INVALID',
    `the environment is not as it must be:\n  - ${problems.join('\n  - ')}`,
  )
}

async function digestOf({ body, total }: Reading): Promise<string> {
  const sum = createHash('sha256')
  let bytes = 0
  for await (const chunk of body) {
    sum.update(chunk)
    bytes += chunk.length
  }
  if (bytes !== total) throw new Interrupted(`${bytes} bytes of ${total} arrived`)
  return sum.digest('hex')
}

function never(): AbortSignal {
  return new AbortController().signal
}

function realWorld(): StorageWorld {
  return { files: machine.files, ...clock }
}
