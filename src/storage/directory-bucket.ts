/**
 * A directory in the place of a bucket: objects are files, folders in keys are directories.
 *
 * Objects appear whole: they are copied under a temporary name, made durable, and linked to their own, which fails if
 * something has it. There is no metadata; archives carry theirs in their footer. Links and other non-files are not seen.
 */
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Files } from '../effects.js'
import { FoldError, systemCode, throwIfAborted } from '../errors.js'
import { ObjectChanged, type Bucket, type ObjectHead, type ObjectInfo, type ReadOptions } from './bucket.js'
import type { Reading, Upload } from './bucket.js'

const COPY_BYTES = 1 << 20
const TEMPORARY = '.tmp-'

export class DirectoryBucket implements Bucket {
  readonly url: string
  readonly #path: string
  readonly #files: Files

  constructor(path: string, files: Files) {
    this.url = path
    this.#path = path
    this.#files = files
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo, void, undefined> {
    const keys: string[] = []
    await this.#walk('', prefix, keys, signal)
    keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (const key of keys) {
      throwIfAborted(signal)
      const head = await this.head(key)
      if (head) yield { key, bytes: head.bytes, modified: head.modified }
    }
  }

  async #walk(folder: string, prefix: string, keys: string[], signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    let entries
    try {
      entries = await this.#files.readdir(join(this.#path, folder), { withFileTypes: true })
    } catch (error) {
      if (folder === '' && systemCode(error) === 'ENOENT') throw this.#missing(error)
      throw error
    }
    for (const entry of entries) {
      const key = folder + entry.name
      if (entry.isFile() && key.startsWith(prefix) && !entry.name.startsWith(TEMPORARY)) keys.push(key)
      const inside = `${key}/`
      const wanted = inside.startsWith(prefix) || prefix.startsWith(inside)
      if (entry.isDirectory() && wanted) await this.#walk(inside, prefix, keys, signal)
    }
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    try {
      const { size, mtimeMs, isFile } = await this.#stat(this.#fileOf(key))
      return isFile ? { key, bytes: size, modified: Math.round(mtimeMs), metadata: {} } : undefined
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
      throw error
    }
  }

  async #stat(path: string) {
    const stat = await this.#files.lstat(path)
    return { size: stat.size, mtimeMs: stat.mtimeMs, isFile: stat.isFile(), ino: stat.ino }
  }

  async read(key: string, { from = 0, last, tag, signal }: ReadOptions): Promise<Reading> {
    const path = this.#fileOf(key)
    const { size, mtimeMs, isFile, ino } = await this.#stat(path).catch((error: unknown) => {
      if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error
      throw this.#notFound(key, error)
    })
    if (!isFile) throw this.#notFound(key)
    const now = `${ino}-${size}-${mtimeMs}`
    if (tag !== undefined && tag !== now) throw new ObjectChanged(`${path} has changed`)
    const start = last === undefined ? from : Math.max(0, size - last)
    let open = true
    return {
      body: this.#bytes(path, start, signal, () => open),
      total: size,
      tag: now,
      md5: undefined,
      metadata: {},
      close: () => (open = false),
    }
  }

  async *#bytes(path: string, start: number, signal: AbortSignal, open: () => boolean) {
    const handle = await this.#files.open(path, 'r')
    try {
      for (let at = start; open();) {
        throwIfAborted(signal)
        const buffer = Buffer.allocUnsafe(COPY_BYTES)
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
        if (bytesRead === 0) return
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await handle.close()
    }
  }

  async create(key: string, { path }: Upload, signal: AbortSignal): Promise<'created' | 'exists'> {
    const target = this.#fileOf(key)
    await this.#requireBucket()
    await this.#files.mkdir(dirname(target), { recursive: true })
    const temporary = join(dirname(target), TEMPORARY + randomBytes(8).toString('hex'))
    const handle = await this.#files.open(temporary, 'wx')
    try {
      for await (const chunk of this.#bytes(path, 0, signal, () => true)) await handle.writeFile(chunk)
      await handle.sync()
      await handle.close()
      await this.#files.link(temporary, target)
      await this.#syncDirectory(dirname(target))
      return 'created'
    } catch (error) {
      await handle.close().catch(() => undefined)
      if (systemCode(error) === 'EEXIST') return 'exists'
      throw error
    } finally {
      await this.#files.rm(temporary, { force: true })
    }
  }

  async #syncDirectory(path: string): Promise<void> {
    const handle = await this.#files.open(path, 'r')
    await handle.sync().finally(() => handle.close())
  }

  /** A bucket is not made by storing into it: a mistyped name would go unnoticed. */
  async #requireBucket(): Promise<void> {
    try {
      await this.#files.stat(this.#path)
    } catch (error) {
      throw systemCode(error) === 'ENOENT' ? this.#missing(error) : error
    }
  }

  #missing(cause: unknown): FoldError {
    return new FoldError(
      'BUCKET_NOT_FOUND',
      `there is no directory ${this.#path}; make it, or check the name of the bucket`,
      { cause },
    )
  }

  #notFound(key: string, cause?: unknown): FoldError {
    return new FoldError('INPUT_NOT_FOUND', `there is no file ${JSON.stringify(key)} in ${this.#path}`, {
      cause,
    })
  }

  /** The file of a key, which can only be below the directory. */
  #fileOf(key: string): string {
    const parts = key.split('/')
    if (parts.some(isStrange)) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        `the key ${JSON.stringify(key.slice(0, 200))} cannot be a file in a directory: its parts must be names`,
      )
    }
    return join(this.#path, ...parts)
  }
}

function isStrange(part: string): boolean {
  return part === '' || part === '.' || part === '..' || part.includes('\0') || Buffer.byteLength(part) > 255
}
