/**
 * A tar stream from who knows where to files below a directory, by `tar`'s parser.
 *
 * **Guarantees:** no entry is written before its path, kind and length are found in order, and there is room for it;
 * nothing is written outside the directory.
 *
 * Writing goes on while the stream is read: parts of its buffers are held until they are written.
 */
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadEntry } from 'tar'
import type { Files } from '../effects.js'
import { FoldError } from '../errors.js'
import { formatSize } from '../machine/size.js'
import type { Buffers } from './buffers.js'

const MOST_ENTRIES = 200_000
const MOST_DEPTH = 8
const LONGEST_PATH = 4096
/** What tar adds to each entry at most, and what ends a stream: generous, as it only stops streams without end. */
const OVERHEAD_BYTES = 8192
const END_BYTES = 64 << 20
/** Left free on the disk. */
const RESERVE_BYTES = 64 << 20
/** For more at once, Linux looks for as large pieces of memory, which it finds slowly once memory is in use. */
const WRITE_BYTES = 1 << 20
/** Files that are read to their end and not closed yet. */
const MOST_UNFINISHED = 4
const FILES = new Set(['File', 'OldFile', 'ContiguousFile'])

/** What {@link Unpacking} is to know. */
export interface UnpackingOptions {
  /** What is unpacked, for people. */
  from: string
  directory: string
  /** The most bytes that the files may have together. */
  declared: number
  /** Whether the files are to outlive a loss of power. */
  durable: boolean
  /** Whose buffers the stream comes in. */
  buffers: Buffers
  files: Files
}

export class Unpacking {
  readonly #options: UnpackingOptions
  /** Paths of the files unpacked. */
  readonly #unpacked = new Set<string>()
  readonly #directories = new Set<string>()
  readonly #unfinished = new Set<Promise<void>>()
  #entries = 0
  #bytes = 0
  #streamBytes = 0
  #failure: Error | undefined
  #current: ReadEntry | undefined
  #wake: (() => void) | undefined

  constructor(options: UnpackingOptions) {
    this.#options = options
  }

  /** Takes the whole stream, releasing each of its buffers. */
  async run(stream: AsyncIterable<Buffer>): Promise<void> {
    const { Parser } = await import('tar')
    let taking: Promise<void> = Promise.resolve()
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry: ReadEntry) => {
        this.#current = entry
        taking = taking.then(() => this.#take(entry)).catch((error: unknown) => this.#fail(error))
      },
    })
    parser.on('error', (error: unknown) => {
      this.#fail(
        new FoldError('DAMAGED', `${this.#options.from} holds no sound tar stream`, { cause: error }),
      )
    })
    parser.on('drain', () => this.#wake?.())
    parser.on('end', () => this.#wake?.())
    const woken = () => new Promise<void>((resolve) => (this.#wake = resolve))
    try {
      for await (const piece of stream) {
        try {
          this.#count(piece)
          const free = woken()
          // No room: the entry at hand has to take what was written first.
          const roomLeft = parser.write(piece)
          if (!roomLeft && !this.#failure) await free
        } finally {
          // What is not written yet is held by its file.
          this.#options.buffers.release(piece)
        }
        if (this.#failure) throw this.#failure
      }
      const ended = woken()
      parser.end()
      if (!this.#failure) await ended
    } catch (error) {
      this.#fail(error)
    }
    // An entry whose bytes will not come any more would wait for them.
    if (this.#failure) this.#current?.destroy(this.#failure)
    await taking
    await Promise.all(this.#unfinished)
    if (this.#failure) throw this.#failure
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.#wake?.()
  }

  #count(piece: Buffer): void {
    // The parser would unpack a tar stream that is compressed once more, past all counting.
    if (this.#streamBytes === 0) this.#refusePacked(piece)
    this.#streamBytes += piece.length
    // A tar stream of so many entries has so many bytes at most; a longer one is padding without end.
    const most = this.#options.declared + (this.#entries + 1) * OVERHEAD_BYTES + END_BYTES
    if (this.#streamBytes > most) throw this.#unsafe('it expands to more than it declares')
  }

  #refusePacked(piece: Buffer): void {
    const start = piece.subarray(0, 4).toString('hex')
    if (start.startsWith('1f8b') || start === '28b52ffd')
      throw this.#unsafe('it is compressed more than once')
  }

  async #take(entry: ReadEntry): Promise<void> {
    if (this.#failure) return entry.resume()
    this.#entries += 1
    if (this.#entries > MOST_ENTRIES) throw this.#unsafe(`it has more than ${MOST_ENTRIES} entries`)
    const parts = this.#safePath(entry.path)
    if (entry.type === 'Directory') {
      if (parts.length > 0) await this.#makeDirectory(parts)
      entry.resume()
      return
    }
    if (!FILES.has(entry.type)) {
      throw this.#unsafe(`${JSON.stringify(entry.path)} is not a file or directory but ${entry.type}`)
    }
    if (parts.length === 0) throw this.#unsafe('a file has no name')
    await this.#makeRoom(entry)
    await this.#makeDirectory(parts.slice(0, -1))
    await this.#writeFile(entry, parts)
  }

  #safePath(path: string): string[] {
    const parts = path
      .replace(/\/+$/, '')
      .split('/')
      .filter((part) => part !== '.')
    const unsafe =
      path.length > LONGEST_PATH ||
      parts.length > MOST_DEPTH ||
      // An empty part is a leading or doubled slash; the root itself is "." or "./".
      (parts.some((part) => part === '') && path !== './' && path !== '.') ||
      parts.includes('..') ||
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      /[\u0000-\u001f\\]|^[a-z]:/i.test(path)
    if (unsafe) throw this.#unsafe(`the path ${JSON.stringify(path.slice(0, 200))} leads elsewhere`)
    return parts.filter((part) => part !== '')
  }

  async #makeRoom({ path, size }: ReadEntry): Promise<void> {
    const { from, directory, declared, files } = this.#options
    this.#bytes += size
    if (this.#bytes > declared) {
      throw this.#unsafe(
        `with ${JSON.stringify(path)} it holds ${this.#bytes} bytes, and ${declared} are declared or allowed`,
      )
    }
    const { bavail, bsize } = await files.statfs(directory)
    if (size + RESERVE_BYTES > bavail * bsize) {
      throw new FoldError(
        'DISK_FULL',
        `unpacking ${from} needs ${formatSize(size)} for ${JSON.stringify(path)} and ` +
          `${formatSize(bavail * bsize)} are free; free some space and start again`,
      )
    }
  }

  async #makeDirectory(parts: readonly string[]): Promise<void> {
    const path = parts.join('/')
    if (this.#directories.has(path)) return
    await this.#options.files.mkdir(join(this.#options.directory, ...parts), { recursive: true })
    this.#directories.add(path)
  }

  async #writeFile(entry: ReadEntry, parts: string[]): Promise<void> {
    const { directory, buffers, durable, files } = this.#options
    const path = parts.join('/')
    if (this.#unpacked.has(path)) throw this.#unsafe(`${JSON.stringify(path)} is in it twice`)
    this.#unpacked.add(path)
    const file = new Writing(await files.open(join(directory, ...parts), 'wx', 0o644), buffers)
    try {
      await new Promise<void>((resolve, reject) => {
        entry.on('end', resolve).on('error', reject)
        entry.on('data', (part: Buffer) => file.write(part))
      })
    } finally {
      const finished = file
        .finish(durable)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => this.#unfinished.delete(finished))
      this.#unfinished.add(finished)
    }
    while (this.#unfinished.size >= MOST_UNFINISHED) await Promise.race(this.#unfinished)
  }

  /** Where the archive is: at the top, or in the one directory there. */
  root(): string {
    const { from, directory } = this.#options
    if (this.#unpacked.has('manifest.json')) return directory
    const tops = new Set([...this.#unpacked].map((path) => path.split('/')[0] ?? ''))
    const [top] = tops
    if (tops.size !== 1 || top === undefined || !this.#unpacked.has(`${top}/manifest.json`)) {
      throw new FoldError('NOT_AN_ARCHIVE', `${from} does not hold one archive: there is no manifest.json`)
    }
    return join(directory, top)
  }

  refuseStrangers(listed: readonly string[]): void {
    const prefix = this.#unpacked.has('manifest.json') ? '' : `${[...this.#unpacked][0]?.split('/')[0]}/`
    const known = new Set([...listed, 'manifest.json', 'SHA256SUMS'].map((path) => prefix + path))
    const stranger = [...this.#unpacked].find((path) => !known.has(path))
    if (stranger !== undefined) {
      throw this.#unsafe(`${JSON.stringify(stranger)} is in it, which its manifest does not list`)
    }
  }

  #unsafe(why: string): FoldError {
    return new FoldError(
      'ARCHIVE_UNSAFE',
      `${this.#options.from} is not unpacked, as ${why}; get it again from where it was made`,
    )
  }
}

/** A file that is written in order, one part at a time, while more parts come. */
class Writing {
  readonly #handle: FileHandle
  readonly #buffers: Buffers
  #last: Promise<void> = Promise.resolve()

  constructor(handle: FileHandle, buffers: Buffers) {
    this.#handle = handle
    this.#buffers = buffers
  }

  write(part: Buffer): void {
    this.#buffers.hold(part)
    this.#last = this.#last.then(() => this.#put(part)).finally(() => this.#buffers.release(part))
    // Said by finish(); until then a failure must not count as unhandled.
    this.#last.catch(() => undefined)
  }

  async #put(part: Buffer): Promise<void> {
    for (let at = 0; at < part.length;) {
      const length = Math.min(part.length - at, WRITE_BYTES)
      at += (await this.#handle.write(part, at, length)).bytesWritten
    }
  }

  /** Waits for all of it, and closes. */
  async finish(durable: boolean): Promise<void> {
    try {
      await this.#last
      if (durable) await this.#handle.sync()
    } finally {
      await this.#handle.close()
    }
  }
}
