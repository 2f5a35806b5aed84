/** Reading an archive. */
import { native, type NativeArchive, type NativeCursor } from './addon.js'
import { machine } from './effects.js'
import { FoldError, throwIfAborted } from './errors.js'
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

/** What {@link Archive.verify} found. */
export interface VerifyReport {
  /** Files read. */
  files: number
  /** Their bytes. */
  bytes: number
  /** Orthos read. */
  orthos: number
  /** Everything that is wrong, with the file it is in; empty for a sound archive. */
  problems: { file: string | null; message: string }[]
}

/** Options of {@link Archive.verify}. */
export interface VerifyOptions extends TaskOptions {
  /** Bytes of memory for telling which orthos came before. Default: 64 MiB. */
  memory?: number | undefined
}

/** How much of an archive {@link Archive.survey} looks at. */
export interface SurveyOptions extends TaskOptions {
  /** Orthos that are read at most; small shapes whole, large ones in parts spread evenly. Default: 20 million. */
  read?: number | undefined
  /** Orthos of each shape to give. Default: 200. */
  show?: number | undefined
  /** Words to give. Default: 30. */
  words?: number | undefined
  /** Shapes to look into, those with most orthos. Default: 64. */
  shapes?: number | undefined
  /** Files of texts, to tell which of them have an ortho by themselves. */
  texts?: readonly string[] | undefined
}

/** What {@link Archive.survey} found. */
export interface Survey {
  /** Orthos that were read. */
  read: number
  /** Whether these are all, so that nothing is an estimate. */
  exact: boolean
  /** The words that stand in most orthos, and in how many. */
  words: { word: string; orthos: number }[]
  shapes: ShapeSurvey[]
  /** The searches that found the orthos: the archive's own, then those that came with what was merged. */
  searches: { orthos: number; vocabulary: number }[]
  /** Orthos by the texts that have them by themselves: each, two or more, none. */
  origins: { each: number[]; several: number; together: number }
}

/** What was seen of one shape. */
export interface ShapeSurvey {
  dims: number[]
  orthos: number
  /** Those that were read. */
  read: number
  /** The words of the first of those by the order of the optimal one. */
  first: string[] | null
  /** The words of others, every one as likely as any other. */
  sample: string[][]
}

/** Bytes of text asked of the core at a time: some milliseconds of work for the event loop at the most. */
const BATCH_BYTES = 64 * 1024

/** Some seconds of one processor. */
const SURVEY_READ = 20_000_000

const VERIFY_MEMORY = 64 * 2 ** 20

/** An archive opened for reading. Made by {@link openArchive}. */
export class Archive {
  /** What the archive says about itself, and its place. */
  readonly summary: ArchiveSummary
  #native: NativeArchive | undefined

  /** @internal */
  constructor(archive: NativeArchive, summary: ArchiveSummary) {
    this.#native = archive
    this.summary = summary
  }

  #open(): NativeArchive {
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
    const cursor = await this.#cursor(filter)
    while (left > 0) {
      throwIfAborted(signal)
      const chunk = await native(() => cursor.nextText(BATCH_BYTES))
      if (!chunk) return
      const [whole, lines] = firstLines(chunk, left)
      left -= lines
      if (lines > 0) yield whole
    }
  }

  async #cursor({ shape, word }: OrthoFilter): Promise<NativeCursor> {
    const dims = shape === undefined ? null : parseShape(typeof shape === 'string' ? shape : shape.join('x'))
    const archive = this.#open()
    return native(() => archive.orthos(dims, word ?? null))
  }

  /**
   * Checks every file against the manifest and every ortho against the definition. What is wrong is in the report;
   * it rejects only if the check itself could not be made.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.#open()
    const { archive } = this.summary
    const memory = checkInteger('memory', options.memory ?? VERIFY_MEMORY, 1)
    const scratch = await machine.scratch()
    return runTask<VerifyReport>(
      (addon, control) => addon.verifyArchive(archive, scratch, memory, control),
      options,
    )
  }

  /**
   * Which words the orthos have, where they come from, and some of each shape. Of a large archive only a part is read,
   * so that the time is bounded; the counts are then estimates, and the result says so. The same each time.
   */
  async survey(options: SurveyOptions = {}): Promise<Survey> {
    const archive = this.#open()
    const { read = SURVEY_READ, show = 200, words = 30, shapes = 64, texts = [] } = options
    const request = {
      read: read === Infinity ? Number.MAX_SAFE_INTEGER : checkInteger('read', read, 1),
      show: checkInteger('show', show, 0, 2 ** 31),
      words: checkInteger('words', words, 0, 2 ** 31),
      shapes: checkInteger('shapes', shapes, 0, 2 ** 31),
      texts: [...texts],
    }
    return runTask<Survey>((addon, control) => addon.surveyArchive(archive, request, control), options)
  }

  /** The vocabulary and phrases of the text. */
  async interner(): Promise<Interner> {
    const archive = this.#open()
    return new Interner(await native(() => archive.interner()))
  }

  /** Lets go of the archive. Using it afterwards is an error with code `CLOSED`. */
  close(): void {
    this.#native = undefined
  }

  /** Closes it: for `using`. */
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
  const archive = await native((addon) => addon.openArchive(path))
  const manifest = JSON.parse(await native(() => archive.manifest())) as Manifest
  return new Archive(archive, { ...manifest, archive: path })
}
