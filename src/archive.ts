/** Reading an archive. */
import { native, type NativeArchive, type NativeCursor } from './addon.js'
import { FoldError, throwIfAborted, toFoldError } from './errors.js'
import { Interner } from './interner.js'
import type { ArchiveSummary, Manifest } from './manifest.js'
import { parseShape } from './shape.js'
import { checkInteger, runTask, type Ortho, type TaskOptions } from './task.js'

/** Which orthos to list. */
export interface OrthoFilter {
  /** Only those of this shape: `"2x3"` or `[2, 3]`, in any axis order. */
  shape?: string | readonly number[] | undefined
  /** Only those that hold this word (in lower case, as in the vocabulary). */
  word?: string | undefined
  /** At most so many. */
  limit?: number | undefined
  /** Stops the listing; it then rejects with code `CANCELLED`. */
  signal?: AbortSignal | undefined
}

/** What {@link Archive.verify} found to be in order. It rejects with code `DAMAGED` at the first thing that is not. */
export interface VerifyReport {
  /** Files whose checksum agrees with the manifest. */
  files: number
  /** Orthos that satisfy the definition. */
  orthos: number
}

/** Bytes of text asked of the core at a time: some milliseconds of work for the event loop at the most. */
const BATCH_BYTES = 64 * 1024

/** An archive opened for reading. Made by {@link openArchive}. */
export class Archive {
  /** What the archive says about itself, and its place. */
  readonly summary: ArchiveSummary
  #native: NativeArchive | undefined

  /** @internal */
  constructor(archive: NativeArchive, path: string) {
    this.#native = archive
    this.summary = { ...(JSON.parse(archive.manifest()) as Manifest), archive: path }
  }

  get #open(): NativeArchive {
    if (!this.#native) throw new FoldError('CLOSED', `the archive ${this.summary.archive} has been closed`)
    return this.#native
  }

  /**
   * The orthos in the archive's own order, the same each time. Nothing is read ahead of the reader.
   *
   * @example
   * ```ts
   * for await (const { dims, words } of archive.orthos({ shape: '2x3', limit: 10 })) console.log(dims, words)
   * ```
   */
  async *orthos(filter: OrthoFilter = {}): AsyncGenerator<Ortho, void, undefined> {
    const decoder = new TextDecoder()
    for await (const chunk of this.text(filter)) {
      for (const line of decoder.decode(chunk).split('\n')) {
        const [dims, words] = line.split('\t')
        if (dims && words) yield { dims: dims.split('x').map(Number), words: words.split(' ') }
      }
    }
  }

  /** The same orthos as lines of UTF-8 text, `2x3<TAB>words in cell order`, in chunks of whole lines. */
  async *text(filter: OrthoFilter = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = filter
    let left = filter.limit === undefined ? Infinity : checkInteger('limit', filter.limit, 0)
    const cursor = this.#cursor(filter)
    while (left > 0) {
      throwIfAborted(signal)
      const chunk = await native(() => cursor.nextText(BATCH_BYTES))
      if (chunk.length === 0) return
      const [whole, lines] = firstLines(chunk, left)
      left -= lines
      yield whole
    }
  }

  #cursor({ shape, word }: OrthoFilter): NativeCursor {
    const dims = shape === undefined ? null : parseShape(typeof shape === 'string' ? shape : shape.join('x'))
    try {
      return this.#open.orthos(dims, word ?? null)
    } catch (error) {
      throw toFoldError(error)
    }
  }

  /** Checks every file against the manifest and every ortho against the definition. */
  async verify(options: TaskOptions = {}): Promise<VerifyReport> {
    const archive = this.#open
    return runTask<VerifyReport>((_addon, control) => archive.verify(control), options)
  }

  /** The vocabulary and phrases of the text. */
  async interner(): Promise<Interner> {
    const archive = this.#open
    return new Interner(await native(() => archive.interner()))
  }

  /** Lets go of the archive. Using it afterwards is an error with code `CLOSED`. */
  close(): void {
    this.#native = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** The first `most` lines of a chunk of whole lines, and how many they are. */
function firstLines(chunk: Uint8Array, most: number): [Uint8Array, number] {
  const newline = 10
  let lines = 0
  for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) {
    lines += 1
    if (lines === most) return [chunk.subarray(0, at + 1), lines]
  }
  return [chunk, lines]
}

/** Opens an archive directory. Its manifest is checked here, its other files as they are read. */
export async function openArchive(path: string): Promise<Archive> {
  return new Archive(await native((addon) => addon.openArchive(path)), path)
}
