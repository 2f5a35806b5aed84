/**
 * Progress for people, on standard error: on a terminal one line that is rewritten, elsewhere a line every few
 * seconds, so that logs stay readable.
 */
import { clip } from './clip.js'
import type { Effects } from '../effects.js'
import { formatSize } from '../machine/size.js'
import { formatShape } from '../shape.js'
import type { Progress } from '../task.js'
import { meterFor } from './width.js'
import { formatCount, formatSeconds } from './numbers.js'

/** Milliseconds between lines when nobody watches live. */
const QUIET_INTERVAL = 5000
const CLEAR_LINE = '\r\u001b[2K'

export class ProgressDisplay {
  /** Whether anything is shown at all. */
  readonly enabled: boolean
  readonly #effects: Effects
  #lastLine: number
  /** Whether the live line is on the screen. */
  #drawn = false
  /** How often it has ended. */
  #ends = 0

  constructor(effects: Effects, options: { quiet: boolean }) {
    this.#effects = effects
    this.enabled = !options.quiet
    this.#lastLine = effects.now()
  }

  /** Takes a snapshot; made to be passed as a callback. */
  readonly show = (progress: Progress): void => {
    const { stderr, now } = this.#effects
    const line = describeProgress(progress)
    if (stderr.isTerminal) {
      void this.#redraw(line)
    } else if (now() - this.#lastLine >= QUIET_INTERVAL) {
      this.#lastLine = now()
      this.#write(`${line}\n`)
    }
  }

  /** Leaves the terminal clean for what comes next. */
  end(): void {
    if (this.#drawn) this.#write(CLEAR_LINE)
    this.#drawn = false
    this.#ends += 1
  }

  async #redraw(line: string): Promise<void> {
    const ends = this.#ends
    const meter = await meterFor([line])
    // It may have ended while the meter was loaded; nothing must appear after the end.
    if (ends !== this.#ends) return
    this.#drawn = true
    this.#write(CLEAR_LINE + clip(line, this.#effects.stderr.columns - 1, meter))
  }

  #write(text: string): void {
    // Progress that nobody can read any more is no reason to stop.
    this.#effects.stderr.write(text).catch(() => undefined)
  }
}

const PHASES: Readonly<Record<string, string>> = {
  read: 'reading',
  index: 'indexing',
  copy: 'copying',
  search: 'searching',
  write: 'writing',
  verify: 'verifying',
}

/** The snapshot as one line. */
export function describeProgress(progress: Progress): string {
  const { phase, share, orthos, elapsedSeconds, best, memory } = progress
  const parts = [
    `${PHASES[phase] ?? phase} ${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`,
    `${formatCount(orthos)} orthos`,
    formatSeconds(elapsedSeconds),
  ]
  if (orthos > 0 && elapsedSeconds > 1) parts.push(`${formatCount(orthos / elapsedSeconds)} a second`)
  if (memory > 0) parts.push(formatSize(memory))
  if (best) parts.push(`best ${formatShape(best.dims)}: ${best.words.join(' ')}`)
  return parts.join(', ')
}
