/**
 * A `.tar.zst` file back to an archive directory.
 *
 * The file may come from anywhere. **Guarantees:** nothing is written outside a temporary directory beside the target;
 * no entry is written before its path, kind and length are found in order, and there is room for it; the directory
 * appears whole, holding what its manifest lists and nothing else, or not at all.
 *
 * **Cost:** some megabytes, and the window of the file's frames (8 MiB for the levels in common use, 128 MiB at most).
 */
import { createHash, randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { ReadEntry } from 'tar'
import { loadAddon, type NativeZstdDecoder } from '../addon.js'
import { openArchive } from '../archive.js'
import { machine, type Files } from '../effects.js'
import { FoldError, systemCode, throwIfAborted, toFoldError } from '../errors.js'
import { formatSize } from '../machine/size.js'
import type { ArchiveSummary } from '../manifest.js'
import { LONGEST_FOOTER, parseFooter, type ArchiveFacts } from './facts.js'

const READ_BYTES = 1 << 20
const MOST_ENTRIES = 200_000
const MOST_DEPTH = 8
const LONGEST_PATH = 4096
/** What tar adds to each entry at most, and what ends a stream: generous, as it only stops streams without end. */
const OVERHEAD_BYTES = 8192
const END_BYTES = 64 << 20
/** Left free on the disk. */
const RESERVE_BYTES = 64 << 20
const FILES = new Set(['File', 'OldFile', 'ContiguousFile'])

/** Options of {@link decompressArchive}. */
export interface DecompressOptions {
  /** The archive directory to make. It must not exist yet. */
  out: string
  /** The most bytes that may be unpacked. Default: what the file says of itself, and what the disk has. */
  maxBytes?: number | undefined
  signal?: AbortSignal | undefined
  /** The file operations to use. @internal */
  files?: Files | undefined
}

/** Unpacks a compressed archive. */
export async function decompressArchive(
  path: string,
  { out, maxBytes, signal, files = machine.files }: DecompressOptions,
): Promise<ArchiveSummary> {
  throwIfAborted(signal)
  await refuseExisting(files, out)
  const footer = await readFooter(path, files).catch((error: unknown) => {
    throw toFoldError(error)
  })
  const declared = Math.min(maxBytes ?? Infinity, footer?.facts.unpackedBytes ?? Infinity)
  const temporary = join(
    dirname(out),
    `.${basename(out).slice(0, 200)}.tmp-${randomBytes(8).toString('hex')}`,
  )
  try {
    await files.mkdir(temporary)
    const unpacking = new Unpacking(path, temporary, files, declared)
    await unpacking.run(footer, signal)
    const root = unpacking.root()
    const archive = await openArchive(root)
    const { summary } = archive
    archive.close()
    unpacking.refuseStrangers(Object.keys(summary.files))
    await refuseExisting(files, out)
    await files.rename(root, out)
    return { ...summary, archive: out }
  } catch (error) {
    throw toFoldError(error)
  } finally {
    await files.rm(temporary, { recursive: true, force: true })
  }
}

/** What the end of a compressed archive says of it; undefined for one that other tools made. */
export async function readFooter(
  path: string,
  files: Files = machine.files,
): Promise<{ facts: ArchiveFacts; length: number; total: number } | undefined> {
  const handle = await files.open(path, 'r')
  try {
    const { size } = await handle.stat()
    const end = Buffer.alloc(Math.min(size, LONGEST_FOOTER))
    await handle.read(end, 0, end.length, size - end.length)
    const footer = parseFooter(end)
    return footer && { ...footer, total: size }
  } finally {
    await handle.close()
  }
}

async function refuseExisting(files: Files, out: string): Promise<void> {
  try {
    await files.lstat(out)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  throw new FoldError('OUTPUT_EXISTS', `${out} is there already and is not overwritten; name another place`)
}

/** One file being unpacked. */
class Unpacking {
  readonly #path: string
  readonly #directory: string
  readonly #files: Files
  readonly #declared: number
  /** Paths of the files unpacked. */
  readonly #unpacked = new Set<string>()
  readonly #directories = new Set<string>()
  #entries = 0
  #bytes = 0

  constructor(path: string, directory: string, files: Files, declared: number) {
    this.#path = path
    this.#directory = directory
    this.#files = files
    this.#declared = declared
  }

  async run(
    footer: { facts: ArchiveFacts; length: number; total: number } | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { Parser } = await import('tar')
    let failure: Error | undefined
    let taking: Promise<void> = Promise.resolve()
    let current: ReadEntry | undefined
    let wake: (() => void) | undefined
    const fail = (error: unknown) => {
      failure ??= error instanceof Error ? error : new Error(String(error))
      wake?.()
    }
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry: ReadEntry) => {
        current = entry
        taking = this.#take(entry, signal).catch(fail)
      },
    })
    parser.on('error', (error: unknown) => {
      fail(new FoldError('DAMAGED', `${this.#path} holds no sound tar stream`, { cause: error }))
    })
    parser.on('drain', () => wake?.())
    parser.on('end', () => wake?.())
    const woken = () => new Promise<void>((resolve) => (wake = resolve))
    try {
      let first = true
      for await (const chunk of decoded(this.#path, this.#files, footer)) {
        throwIfAborted(signal)
        if (first) this.#refusePacked(chunk)
        first = false
        this.#countDecoded(chunk.length)
        const free = woken()
        // No room: the entry at hand has to take what was written first.
        const roomLeft = parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
        if (!roomLeft && !failure) await free
        if (failure) throw failure
      }
      const ended = woken()
      parser.end()
      if (!failure) await ended
    } catch (error) {
      fail(error)
    }
    // An entry whose bytes will not come any more would wait for them.
    if (failure) current?.destroy(failure)
    await taking
    if (failure) throw failure
  }

  #decodedBytes = 0

  /** A tar stream of so many entries has so many bytes at most; a longer one is padding without end. */
  #countDecoded(bytes: number): void {
    this.#decodedBytes += bytes
    const most = this.#declared + (this.#entries + 1) * OVERHEAD_BYTES + END_BYTES
    if (this.#decodedBytes > most) throw this.#unsafe('it expands to more than it declares')
  }

  /** The parser would unpack a tar stream that is compressed once more, past all counting. */
  #refusePacked(chunk: Uint8Array): void {
    const start = Buffer.from(chunk.subarray(0, 4)).toString('hex')
    if (start.startsWith('1f8b') || start === '28b52ffd')
      throw this.#unsafe('it is compressed more than once')
  }

  async #take(entry: ReadEntry, signal: AbortSignal | undefined): Promise<void> {
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
    await this.#writeFile(entry, parts, signal)
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
    this.#bytes += size
    if (this.#bytes > this.#declared) {
      throw this.#unsafe(
        `with ${JSON.stringify(path)} it holds ${this.#bytes} bytes, and ${this.#declared} are declared or allowed`,
      )
    }
    const { bavail, bsize } = await this.#files.statfs(this.#directory)
    if (size + RESERVE_BYTES > bavail * bsize) {
      throw new FoldError(
        'DISK_FULL',
        `unpacking ${this.#path} needs ${formatSize(size)} for ${JSON.stringify(path)} and ` +
          `${formatSize(bavail * bsize)} are free; free some space and start again`,
      )
    }
  }

  async #makeDirectory(parts: readonly string[]): Promise<void> {
    const path = parts.join('/')
    if (this.#directories.has(path)) return
    await this.#files.mkdir(join(this.#directory, ...parts), { recursive: true })
    this.#directories.add(path)
  }

  async #writeFile(entry: ReadEntry, parts: string[], signal: AbortSignal | undefined): Promise<void> {
    const path = parts.join('/')
    if (this.#unpacked.has(path)) throw this.#unsafe(`${JSON.stringify(path)} is in it twice`)
    this.#unpacked.add(path)
    const handle = await this.#files.open(join(this.#directory, ...parts), 'wx', 0o644)
    try {
      for await (const chunk of entry) {
        throwIfAborted(signal)
        await handle.writeFile(chunk)
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** Where the archive is: at the top, or in the one directory there. */
  root(): string {
    if (this.#unpacked.has('manifest.json')) return this.#directory
    const tops = new Set([...this.#unpacked].map((path) => path.split('/')[0] ?? ''))
    const [top] = tops
    if (tops.size !== 1 || top === undefined || !this.#unpacked.has(`${top}/manifest.json`)) {
      throw new FoldError(
        'NOT_AN_ARCHIVE',
        `${this.#path} does not hold one archive: there is no manifest.json`,
      )
    }
    return join(this.#directory, top)
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
      `${this.#path} is not unpacked, as ${why}; get it again from where it was made`,
    )
  }
}

/** The decoded bytes, in pieces of up to a mebibyte, checked against the footer at the end. */
async function* decoded(
  path: string,
  files: Files,
  footer: { facts: ArchiveFacts; length: number; total: number } | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { ZstdDecoder } = await loadAddon()
  const decoder = new ZstdDecoder()
  const sum = footer && createHash('sha256')
  let left = footer ? footer.total - footer.length : Infinity
  const handle = await files.open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, left))
      if (bytesRead === 0) break
      left -= bytesRead
      const piece = buffer.subarray(0, bytesRead)
      sum?.update(piece)
      yield* decodedPiece(decoder, piece)
    }
    await native(() => decoder.finish())
  } finally {
    await handle.close()
  }
  if (footer && sum?.digest('hex') !== footer.facts.sha256) {
    throw new FoldError('DAMAGED', `${path} has another SHA-256 than it declares; get it again`)
  }
}

async function* decodedPiece(
  decoder: NativeZstdDecoder,
  piece: Buffer,
): AsyncGenerator<Uint8Array, void, undefined> {
  await native(() => decoder.feed(piece))
  for (;;) {
    const bytes = await native(() => decoder.read(READ_BYTES))
    if (bytes.length === 0) return
    yield bytes
  }
}

async function native<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toFoldError(error)
  }
}
