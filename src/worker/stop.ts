/**
 * How a worker stops when it is told to: a machine that is shut down gives it about a minute.
 *
 * The search is asked to end and keep what it found; if it has not after {@link KEEP_TIME} it is cancelled. What there is
 * must be stored by {@link STORE_TIME}.
 */
import { FoldError } from '../errors.js'

/** Milliseconds after the request. */
export const KEEP_TIME = 20_000
export const STORE_TIME = 50_000

export class Stop {
  /** Aborted when the worker is to stop. */
  readonly asked: AbortSignal
  /** Aborted when the search has had its time to keep what it found. */
  readonly cancel: AbortSignal
  /** Aborted when nothing more can be stored. */
  readonly late: AbortSignal
  readonly #release: () => void

  constructor(asked: AbortSignal, keepTime = KEEP_TIME, storeTime = STORE_TIME) {
    const [cancel, late] = [new AbortController(), new AbortController()]
    this.asked = asked
    this.cancel = cancel.signal
    this.late = late.signal
    const timers: NodeJS.Timeout[] = []
    const begin = () => {
      const error = new FoldError(
        'TERMINATED',
        'stopped before all was stored; what was found is kept on this disk',
      )
      timers.push(
        setTimeout(() => cancel.abort(error), keepTime),
        setTimeout(() => late.abort(error), storeTime),
      )
    }
    asked.addEventListener('abort', begin)
    if (asked.aborted) begin()
    this.#release = () => {
      asked.removeEventListener('abort', begin)
      timers.forEach(clearTimeout)
    }
  }

  /** Lets go of its timers. */
  release(): void {
    this.#release()
  }
}
