/** A long native operation: polls its progress with a timer and passes an abort on. */
import { loadAddon, type Addon, type NativeControl } from './addon.js'
import { every } from './effects.js'
import { FoldError, cancelled, throwIfAborted, toFoldError } from './errors.js'

/** How an operation is getting on. */
export interface Progress {
  /** What is being done: `read`, `index`, `copy`, `search`, `write` or `verify`. */
  phase: string
  /** Share of the phase that is done, 0 to 1. */
  share: number
  /** Orthos found so far. */
  orthos: number
  elapsedSeconds: number
  /** Orthos found so far by shape, such as `{"2x2": 3644}`. */
  shapes: Record<string, number>
  /** The best ortho so far by the order of the optimal one. */
  best: Ortho | null
  /** Bytes of memory that the core holds now. */
  memory: number
  /** Bytes of results written. */
  disk: number
  /** Bytes free on the disk that they are written to, once that is known. */
  diskFree: number | null
}

/** One ortho: its dimensions and its words in cell order. */
export interface Ortho {
  dims: number[]
  words: string[]
}

/** Options of everything that takes long. */
export interface TaskOptions {
  /** Stops the operation within a second; the promise then rejects with code `CANCELLED`. */
  signal?: AbortSignal | undefined
  /** Ends a search early, as a limit does: what was found is kept and the promise resolves. */
  stop?: AbortSignal | undefined
  /** Called about five times a second while the operation runs. */
  onProgress?: ((progress: Progress) => void) | undefined
}

const PROGRESS_INTERVAL = 200

/** Runs `start` to its end; what it resolves to is JSON. */
export async function runTask<T>(
  start: (addon: Addon, control: NativeControl) => Promise<string>,
  { signal, stop, onProgress }: TaskOptions,
): Promise<T> {
  throwIfAborted(signal)
  const addon = await loadAddon()
  throwIfAborted(signal)
  const control = new addon.Control()
  const cancel = () => control.cancel()
  const stopPolling =
    onProgress && every(PROGRESS_INTERVAL, () => onProgress(JSON.parse(control.progress()) as Progress))
  const finishEarly = () => control.finishEarly()
  signal?.addEventListener('abort', cancel)
  stop?.addEventListener('abort', finishEarly)
  if (stop?.aborted) finishEarly()
  try {
    return JSON.parse(await start(addon, control)) as T
  } catch (error) {
    const failure = toFoldError(error)
    throw signal?.aborted && failure.code === 'CANCELLED' ? cancelled(signal) : failure
  } finally {
    stopPolling?.()
    signal?.removeEventListener('abort', cancel)
    stop?.removeEventListener('abort', finishEarly)
  }
}

/** An integer in a range, or an error that names the option. */
export function checkInteger(
  name: string,
  value: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  throw new FoldError('INVALID_ARGUMENT', `${name} must be a whole number ${range}, not ${value}`)
}
