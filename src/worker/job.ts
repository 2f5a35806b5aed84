/**
 * One input to one stored archive: DOWNLOAD, PROCESS, UPLOAD.
 *
 * Each step leaves its result under its name in the job's directory, whole or not at all, so a job that was killed goes on
 * with the step that was missing:
 *
 * ```text
 * input/NAME.txt                     the input, while it is not claimed
 * in_process/NAME.txt.work/          source.txt, archive.bin, archive.tar.zst, storing (it may be stored),
 *                                    before/archive.bin (to continue from)
 * ```
 *
 * When the archive is stored, the directory is renamed ({@link DISCARDED}) and then removed, so that one of which a part is gone
 * is never taken for a job. PROCESS makes no network call.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { CompressOptions, CompressedArchive } from '../archiving/compress.js'
import type { Effects } from '../effects.js'
import { FoldError, systemCode, toFoldError } from '../errors.js'
import type { GoalOptions } from '../goal.js'
import { isFinished, type ArchiveSummary } from '../manifest.js'
import { formatShape } from '../shape.js'
import { nameOfInput, shortened, type Shard } from '../storage/names.js'
import { parseInput, type S3IO } from '../storage/s3-io.js'
import type { Progress } from '../task.js'
import type { SearchLimits } from './environment.js'
import type { Log } from './log.js'
import type { Stop } from './stop.js'

/** What a job asks of a search. */
export interface JobSearchOptions extends SearchLimits, GoalOptions {
  out: string
  memory?: number | undefined
  threads?: number | undefined
  shard?: Shard | undefined
  continueFrom?: string | undefined
  /** Cancels. */
  signal?: AbortSignal | undefined
  /** Ends early and keeps what was found. */
  stop?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

/** Searches a text and writes its archive. */
export type JobSearch = (
  input: { path: string; name: string },
  options: JobSearchOptions,
) => Promise<ArchiveSummary>

/** What jobs of one worker share. */
export interface JobContext {
  effects: Pick<Effects, 'files' | 'now'>
  io: S3IO
  log: Log
  search: JobSearch
  compress: (directory: string, options: CompressOptions) => Promise<CompressedArchive>
  stop: Stop
  stateDirectory: string
  options: Pick<JobSearchOptions, 'memory' | 'threads' | 'shard' | keyof SearchLimits | keyof GoalOptions>
}

/** How a job ended that stored an archive. */
export type JobOutcome = 'finished' | 'limited' | 'stopped'

const PROGRESS_TIME = 60_000
/** Ending of what is only to be removed. */
export const DISCARDED = '.done'

export class Job {
  /** As it was named: a key or an `s3://` URL. */
  readonly input: string
  readonly #index: number
  readonly #context: JobContext
  readonly #name: string
  readonly #waiting: string
  readonly #work: string

  /** The n-th of the inputs, counted from 0. */
  constructor(input: string, index: number, context: JobContext) {
    this.input = input
    this.#index = index
    this.#context = context
    const { stateDirectory } = context
    const { key } = parseInput(input)
    this.#name = nameOfInput(key)
    const file = fileNameOf(input)
    this.#waiting = join(stateDirectory, 'input', file)
    this.#work = join(stateDirectory, 'in_process', `${file}.work`)
  }

  async run(): Promise<JobOutcome> {
    const { files } = this.#context.effects
    await files.mkdir(this.#work, { recursive: true })
    try {
      await this.#download()
      await this.#process()
      const { facts } = await this.#upload()
      // What was stopped is continued by the next run.
      if (facts.limits.includes('stopped')) return 'stopped'
      await this.#discard()
      return isFinished(facts) ? 'finished' : 'limited'
    } catch (error) {
      await this.#tidy()
      throw error
    }
  }

  async #download(): Promise<void> {
    const { effects, io, log, stop } = this.#context
    const { files } = effects
    const source = join(this.#work, 'source.txt')
    await log.phase('DOWNLOAD', { input: this.input }, async () => {
      if (await exists(files, source)) return [undefined, { resumed: true }]
      const options = { signal: stop.asked, index: this.#index }
      const { bytes, sha256 } = await io.downloadInput(this.input, this.#waiting, options)
      await files.rename(this.#waiting, source)
      return [undefined, { bytes, sha256 }]
    })
  }

  get #archive(): string {
    return join(this.#work, 'archive.bin')
  }

  get #compressed(): string {
    return join(this.#work, 'archive.tar.zst')
  }

  async #process(): Promise<void> {
    const { effects, log, search, stop, options } = this.#context
    const { files } = effects
    await log.phase('PROCESS', { input: this.input }, async () => {
      const made = await this.#stoppedBefore()
      if (made === 'made') return [undefined, { resumed: true }]
      let said = effects.now()
      const onProgress = (progress: Progress) => {
        if (effects.now() - said < PROGRESS_TIME) return
        said = effects.now()
        void log.say('PROCESS', 'progress', progressFields(this.input, progress))
      }
      const searching = search(
        { path: join(this.#work, 'source.txt'), name: this.#name },
        {
          ...options,
          out: this.#archive,
          signal: stop.cancel,
          stop: stop.asked,
          onProgress,
          ...(made && { continueFrom: made }),
        },
      )
      const { orthoCount, complete, optimal, bytes } = await beforeLate(searching, stop.late)
      await files.rm(join(this.#work, 'before'), { recursive: true, force: true })
      const best = optimal ? `${formatShape(optimal.dims)}: ${optimal.words.join(' ')}` : undefined
      return [undefined, { orthos: orthoCount, complete, bytes, best }]
    })
  }

  /** Whether an earlier run has made the archive; if it was stopped, the archive to continue from. */
  async #stoppedBefore(): Promise<'made' | string | undefined> {
    const { files } = this.#context.effects
    const [before, archive] = [join(this.#work, 'before'), this.#archive]
    if (await exists(files, this.#archive)) {
      const manifest = await files.readFile(join(archive, 'manifest.json'), 'utf8')
      const { limits } = JSON.parse(manifest) as { limits?: { name?: string }[] }
      if (!limits?.some(({ name }) => name === 'stopped')) return 'made'
      // What was packed is of that archive; both are made anew.
      await files.rm(this.#compressed, { force: true })
      await files.mkdir(before, { recursive: true })
      await files.rm(join(before, 'archive.bin'), { recursive: true, force: true })
      await files.rename(archive, join(before, 'archive.bin'))
    }
    return (await exists(files, join(before, 'archive.bin'))) ? join(before, 'archive.bin') : undefined
  }

  async #upload(): Promise<CompressedArchive> {
    const { effects, io, log, compress, stop, options } = this.#context
    return log.phase('UPLOAD', { input: this.input }, async () => {
      const { files } = effects
      // Made anew if there is one: packing is quick, and it says what is in it. So it need not outlive a loss of power.
      await files.rm(this.#compressed, { force: true })
      const archive = await compress(this.#archive, {
        out: this.#compressed,
        durable: false,
        signal: stop.late,
      })
      const storing = join(this.#work, 'storing')
      const mayHaveStored = await exists(files, storing)
      await files.writeFile(storing, '')
      try {
        const { url, bytes, checked } = await io.uploadArchive(archive, {
          inputName: this.#name,
          shard: options.shard,
          signal: stop.late,
          index: this.#index,
          mayHaveStored,
        })
        return [archive, { url, bytes, sha256: archive.sha256, checked, complete: archive.facts.complete }]
      } catch (error) {
        if (toFoldError(error).code === 'ARCHIVE_EXISTS') await files.rm(storing, { force: true })
        throw error
      }
    })
  }

  async #discard(): Promise<void> {
    const { files } = this.#context.effects
    const discarded = this.#work + DISCARDED
    await files.rm(discarded, { recursive: true, force: true })
    await files.rename(this.#work, discarded)
    await files.rm(discarded, { recursive: true, force: true })
  }

  /** After a failure: what can be had again is removed, a result is kept. */
  async #tidy(): Promise<void> {
    const { effects, stop } = this.#context
    const results = await Promise.all(
      [this.#archive, join(this.#work, 'before')].map((path) => exists(effects.files, path)),
    )
    if (stop.asked.aborted || results.includes(true)) return
    await effects.files.rm(this.#work, { recursive: true, force: true })
    for (const path of [this.#waiting, `${this.#waiting}.part`, `${this.#waiting}.part.tag`]) {
      await effects.files.rm(path, { force: true })
    }
  }
}

/** What the work gives, unless time is up first: then nobody waits for it any more. */
async function beforeLate<T>(work: Promise<T>, late: AbortSignal): Promise<T> {
  let give: (() => void) | undefined
  const up = new Promise<never>((_, reject) => {
    give = () => reject(late.reason as Error)
    late.addEventListener('abort', give)
  })
  try {
    return await Promise.race([work, up])
  } finally {
    if (give) late.removeEventListener('abort', give)
  }
}

function progressFields(input: string, { phase, share, orthos, memory, best }: Progress) {
  return {
    input,
    doing: phase,
    percent: Math.floor(share * 100),
    orthos,
    memory,
    best: best ? `${formatShape(best.dims)}: ${best.words.join(' ')}` : undefined,
  }
}

/** A file name that is safe everywhere, says which input it is of, and is of this input alone. */
function fileNameOf(input: string): string {
  const last = nameOfInput(input).split('/').at(-1) ?? ''
  const readable = shortened(last.replaceAll(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '_'), 100)
  const mark = createHash('sha256').update(input).digest('hex').slice(0, 12)
  return `${readable}-${mark}.txt`
}

async function exists(files: Effects['files'], path: string): Promise<boolean> {
  try {
    await files.lstat(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw new FoldError('IO', `${path} cannot be looked at`, { cause: error })
  }
}
