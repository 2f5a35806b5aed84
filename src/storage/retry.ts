/**
 * Trying again what can pass: with back-off and jitter, and a limit for each attempt and for the whole.
 *
 * Retrying is done here alone; the libraries below make one attempt each.
 */
import { FoldError, cancelled, throwIfAborted } from '../errors.js'
import { formatSeconds } from '../report/numbers.js'
import { judge } from './failures.js'

/** Time and chance, so that a test needs neither. */
export interface RetryWorld {
  /** Milliseconds of a clock that never goes backwards. */
  now(): number
  /** Resolves after so many milliseconds, or rejects as soon as the signal is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
  /** From 0 up to 1. */
  random(): number
}

/** How long to be patient, in milliseconds. */
export interface Patience {
  /** For one attempt. */
  attempt: number
  /** For all attempts together. */
  whole: number
}

/** Options of {@link retry}. */
export interface RetryOptions {
  world: RetryWorld
  patience: Patience
  signal: AbortSignal
  /** Told before each pause. */
  onRetry?: ((error: FoldError, pause: number) => void) | undefined
  /** When the whole began; now, if not said. */
  began?: number | undefined
}

const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000
const BRIEF_ATTEMPTS = 5

/** Runs `attempt` until it succeeds, fails for good, or time is up. */
export async function retry<T>(
  what: string,
  attempt: (signal: AbortSignal) => Promise<T>,
  { world, patience, signal, onRetry, began = world.now() }: RetryOptions,
): Promise<T> {
  for (let failures = 0; ;) {
    throwIfAborted(signal)
    const left = patience.whole - (world.now() - began)
    try {
      return await limited(attempt, Math.max(1, Math.min(patience.attempt, left)), signal)
    } catch (thrown) {
      if (signal.aborted) throw cancelled(signal)
      const { kind, error } = judge(thrown, what)
      failures += 1
      if (kind === 'lasting' || (kind === 'brief' && failures >= BRIEF_ATTEMPTS)) throw error
      const pause = pauseAfter(failures, world.random())
      if (world.now() - began + pause >= patience.whole) {
        throw new FoldError(
          error.code,
          `${error.message}; given up after ${failures} attempts in ${formatSeconds((world.now() - began) / 1000)}`,
          { cause: error.cause },
        )
      }
      onRetry?.(error, pause)
      // Aborted, the next round says why.
      await world.sleep(pause, signal)
    }
  }
}

/** Doubling from half a second to half a minute, of which a random part of up to a half is left out. */
export function pauseAfter(failures: number, random: number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) * (1 - random / 2)
}

/** Runs one attempt with a signal that is also aborted when its time is up. */
async function limited<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<T> {
  const controller = new AbortController()
  const stop = () => controller.abort(signal.reason)
  const late = Object.assign(new Error('an attempt took too long'), { name: 'TimeoutError' })
  const timer = setTimeout(() => controller.abort(late), milliseconds)
  signal.addEventListener('abort', stop)
  try {
    return await attempt(controller.signal)
  } catch (error) {
    // Whatever form the abort took on its way here, the reason is that time was up.
    throw controller.signal.aborted && !signal.aborted ? late : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
