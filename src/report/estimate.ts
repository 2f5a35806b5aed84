/**
 * How long a phase will still take, from how its share has grown.
 *
 * Two honest guesses: as fast as since the phase began, and as fast as lately. Where they agree one time is told, else
 * both; while the share stands still or too little is done to tell, none is.
 */
import { formatSeconds } from './numbers.js'

interface Mark {
  at: number
  share: number
}

/** Seconds that count as lately. */
const LATELY = 20
/** Less than this much time or share says nothing yet. */
const LEAST_SECONDS = 2
const LEAST_SHARE = 0.01
/** Guesses that are apart by less than this factor are one. */
const AGREE = 1.5

export class Estimate {
  #phase = ''
  /** The first of the phase, then those of lately. */
  #marks: Mark[] = []

  /** Takes a snapshot; `at` in seconds. */
  note(phase: string, share: number, at: number): void {
    const last = this.#marks.at(-1)
    // A share that falls begins anew: another piece of work, of the same name.
    if (phase !== this.#phase || (last && share < last.share)) {
      this.#phase = phase
      this.#marks = []
    }
    this.#marks.push({ at, share })
    while (this.#marks.length > 2 && (this.#marks[1]?.at ?? at) < at - LATELY) this.#marks.splice(1, 1)
  }

  /** Seconds left of the phase: the least and the most; nothing if that cannot be told. */
  left(): [number, number] | undefined {
    const [first, second] = this.#marks
    const last = this.#marks.at(-1)
    if (!first || !second || !last) return undefined
    const done = last.share - first.share
    if (last.at - first.at < LEAST_SECONDS || done < LEAST_SHARE) return undefined
    const recent = last.share - second.share
    if (recent <= 0) return undefined
    const rest = Math.max(0, 1 - last.share)
    const guesses = [(rest * (last.at - first.at)) / done, (rest * (last.at - second.at)) / recent]
    return [Math.min(...guesses), Math.max(...guesses)]
  }

  /** `about 3 min left`, `2 min to 5 min left`, or nothing. */
  describe(): string | undefined {
    const left = this.left()
    if (!left) return undefined
    const [least, most] = left
    if (most <= Math.max(1, least * AGREE)) return `about ${roughly(most)} left`
    return `${roughly(least)} to ${roughly(most)} left`
  }
}

/** A time with as many digits as a guess deserves. */
function roughly(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`
  if (seconds < 360_000) return formatSeconds(Math.round(seconds / 60) * 60)
  return `${Math.round(seconds / 86_400)} days`
}
