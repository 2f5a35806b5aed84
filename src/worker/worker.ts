/**
 * The life of a cloud worker: STARTUP, then DOWNLOAD, PROCESS and UPLOAD for each input, SHUTDOWN.
 *
 * Workers know nothing of each other. A worker that is killed and started again on the same disk goes on where it was:
 * `worker.json` says which of its inputs are stored, and each job knows what it has ({@link Job}).
 */
import { join } from 'node:path'
import { compressArchive } from '../archiving/compress.js'
import type { Effects } from '../effects.js'
import { FoldError, systemCode, toFoldError } from '../errors.js'
import { version } from '../version.js'
import { S3IO } from '../storage/s3-io.js'
import { isPrefix, workerSettings, type WorkerSettings } from './environment.js'
import { DISCARDED, Job, type JobContext, type JobOutcome, type JobSearch } from './job.js'
import { lockState } from './lock.js'
import { Log } from './log.js'
import { Stop } from './stop.js'

/** Options of {@link runWorker}. */
export interface WorkerOptions {
  effects: Effects
  search: JobSearch
  /** Asks to stop, keep and store. */
  signal: AbortSignal
  stateDirectory?: string | undefined
  /** Milliseconds after the request, see {@link Stop}. */
  keepTime?: number | undefined
  storeTime?: number | undefined
}

/** Which inputs are done, kept until the run has ended. */
type Done = Record<string, JobOutcome>

/** Does what the environment says. Resolves if every archive is finished and stored; otherwise rejects with what says most. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { effects, signal } = options
  const log = new Log(effects.stdout, effects)
  const stop = new Stop(signal, options.keepTime, options.storeTime)
  const began = effects.now()
  let error: FoldError | undefined
  try {
    await work(options, log, stop)
  } catch (thrown) {
    error = toFoldError(thrown)
  } finally {
    stop.release()
  }
  const seconds = Math.round(effects.now() - began) / 1000
  await log.say('SHUTDOWN', 'begin')
  await log.say('SHUTDOWN', 'end', { seconds, exitCode: error?.exitCode ?? 0, code: error?.code })
  // A search that did not let itself be cancelled would keep the process alive.
  if (stop.late.aborted) effects.exit(error?.exitCode ?? 0)
  if (error) throw error
}

async function work(options: WorkerOptions, log: Log, stop: Stop): Promise<void> {
  const { effects, search } = options
  let release: (() => Promise<void>) | undefined
  try {
    const { context, inputs } = await log.phase('STARTUP', { version: version() }, async () => {
      const settings = workerSettings(effects.env, options.stateDirectory)
      await prepare(settings.stateDirectory, effects)
      release = await lockState(settings.stateDirectory, effects)
      await removeDiscarded(settings.stateDirectory, effects)
      const io = new S3IO(settings.storage, effects, (error, pause) => {
        void log.note('retry', {
          code: error.code,
          why: error.message,
          seconds: Math.round(pause) / 1000,
        })
      })
      const { stateDirectory, memory, threads, shard, limits, goal } = settings
      const jobOptions = { memory, threads, shard, ...limits, ...goal }
      const compress: JobContext['compress'] = compressArchive
      const all = await expand(settings, io, stop)
      const made = { effects, io, log, search, compress, stop, stateDirectory, options: jobOptions }
      return [
        { context: made, inputs: all },
        { inputs: all.length, storage: settings.storage.kind },
      ]
    })
    await runJobs(inputs, context)
  } finally {
    await release?.()
  }
}

async function prepare(directory: string, { files }: Effects): Promise<void> {
  for (const path of ['input', 'in_process'].map((name) => join(directory, name))) {
    try {
      await files.mkdir(path, { recursive: true })
    } catch (error) {
      const code = systemCode(error) === 'ENOSPC' ? 'DISK_FULL' : 'NOT_WRITABLE'
      throw new FoldError(code, `the worker needs ${path}, which cannot be made`, { cause: error })
    }
  }
}

/** What a worker that was killed has not removed any more. */
async function removeDiscarded(directory: string, { files }: Effects): Promise<void> {
  const path = join(directory, 'in_process')
  for (const name of await files.readdir(path)) {
    if (name.endsWith(DISCARDED)) await files.rm(join(path, name), { recursive: true, force: true })
  }
}

/** The inputs, with those of a prefix in its place, each once. */
async function expand({ inputs }: WorkerSettings, io: S3IO, stop: Stop): Promise<string[]> {
  const all = new Set<string>()
  for (const input of inputs) {
    if (!isPrefix(input)) all.add(input)
    else {
      const before = all.size
      for await (const { key } of io.listInputs(input, { signal: stop.asked })) all.add(key)
      if (all.size === before) {
        throw new FoldError('INPUT_NOT_FOUND', `no input has a key that begins with ${JSON.stringify(input)}`)
      }
    }
  }
  return [...all]
}

async function runJobs(inputs: readonly string[], context: JobContext): Promise<void> {
  const { stop, stateDirectory, effects } = context
  const record = new RunRecord(join(stateDirectory, 'worker.json'), [inputs, context.options], effects.files)
  const done = await record.read()
  const failures: FoldError[] = []
  for (const [index, input] of inputs.entries()) {
    if (done[input] !== undefined) continue
    if (stop.asked.aborted) break
    try {
      done[input] = await new Job(input, index, context).run()
      if (done[input] !== 'stopped') await record.write(done)
    } catch (thrown) {
      const error = toFoldError(thrown)
      failures.push(error)
    }
  }
  const stopped =
    stop.asked.aborted && inputs.some((input) => !['finished', 'limited'].includes(done[input] ?? ''))
  // What was stopped or failed is taken up by the next run; otherwise the next run is a new one.
  if (!stopped && failures.length === 0) await record.remove()
  throwOutcome(inputs, done, failures, stopped)
}

function throwOutcome(
  inputs: readonly string[],
  done: Done,
  failures: readonly FoldError[],
  stopped: boolean,
): void {
  const [first] = failures
  const outcomes = Object.values(done)
  if (stopped) {
    if (first && inputs.length === 1) throw stoppedError(first)
    throw new FoldError(
      'STOPPED_INCOMPLETE',
      `stopped with ${outcomes.filter((outcome) => outcome === 'finished').length} of ${inputs.length} inputs finished; ` +
        'what was found is stored, marked incomplete; start again with the same LOCAL_STATE_DIR to go on',
    )
  }
  if (first && inputs.length === 1) throw first
  if (first) {
    throw new FoldError(
      'SOME_INPUTS_FAILED',
      `${failures.length} of ${inputs.length} inputs failed; the archives of the others are stored`,
      { cause: first },
    )
  }
  if (outcomes.includes('limited')) {
    throw new FoldError('LIMIT_REACHED', 'a limit was reached; what was found is stored, marked incomplete')
  }
}

/** A failure that came with the request to stop is that request; others, such as a full disk, speak for themselves. */
function stoppedError(error: FoldError): FoldError {
  if (!['CANCELLED', 'TERMINATED'].includes(error.code)) return error
  return new FoldError('TERMINATED', 'stopped before there was anything to store; start again to go on', {
    cause: error,
  })
}

/** The inputs of a run that are stored, so that a run of the same orders that was killed does not do them again. */
class RunRecord {
  readonly #path: string
  readonly #orders: string
  readonly #files: Effects['files']

  constructor(path: string, orders: unknown, files: Effects['files']) {
    this.#path = path
    this.#orders = JSON.stringify(orders)
    this.#files = files
  }

  async read(): Promise<Done> {
    try {
      const text = await this.#files.readFile(this.#path, 'utf8')
      const { orders, done } = JSON.parse(text) as { orders: string; done: Done }
      return orders === this.#orders ? done : {}
    } catch {
      // None, or cut short by a crash: then jobs are done again, which costs time and nothing else.
      return {}
    }
  }

  async write(done: Done): Promise<void> {
    await this.#files.writeFile(`${this.#path}.tmp`, JSON.stringify({ orders: this.#orders, done }))
    await this.#files.rename(`${this.#path}.tmp`, this.#path)
  }

  async remove(): Promise<void> {
    await this.#files.rm(this.#path, { force: true })
  }
}
