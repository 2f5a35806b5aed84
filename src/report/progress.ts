/**
 * Progress for people and programs, on standard error: on a terminal a live panel, elsewhere a line every few seconds so
 * that logs stay readable, and with `--json` one object a line.
 */
import type { Effects } from '../effects.js'
import { formatSize } from '../machine/size.js'
import { formatShape } from '../shape.js'
import type { Progress } from '../task.js'
import { Estimate } from './estimate.js'
import { formatCount, formatSeconds } from './numbers.js'
import { drawPanel, percent, phaseName, type Snapshot } from './panel.js'
import { meterFor, type Meter } from './width.js'

/** Milliseconds between lines when nobody watches live, */
const QUIET_INTERVAL = 5000
/** and between two drawings of the panel: as often as the core is asked. */
const PANEL_INTERVAL = 150
/** Seconds over which the rate is taken. */
const RATE_SECONDS = 5

/** How progress is shown. */
export interface ProgressOptions {
  /** Show nothing. */
  quiet: boolean
  /** One JSON object a line instead. */
  json?: boolean | undefined
  /** Bytes of memory that the process may take. */
  memoryBudget?: number | undefined
  /** Bytes of results that are allowed. */
  diskBudget?: number | undefined
}

export class ProgressDisplay {
  /** Whether anything is shown at all. */
  readonly enabled: boolean
  /** What is worked on. */
  title: string | undefined
  readonly #effects: Effects
  readonly #options: ProgressOptions
  readonly #live: boolean
  readonly #estimate = new Estimate()
  /** Counts of lately, for the rate. */
  #counts: { at: number; count: number }[] = []
  #lastTime: number
  /** Widths of the lines on the screen. */
  #drawn: number[] = []
  /** How often it has ended. */
  #ends = 0

  constructor(effects: Effects, options: ProgressOptions) {
    this.#effects = effects
    this.#options = options
    this.enabled = !options.quiet
    this.#live = !options.json && effects.stderr.isTerminal && effects.env['TERM'] !== 'dumb'
    this.#lastTime = this.#live ? -Infinity : effects.now()
  }

  /** Takes a snapshot of the core; made to be passed as a callback. */
  readonly show = (progress: Progress): void => this.#take(progress)

  /** Takes a snapshot of other work, which began at `started` by the clock of the effects. */
  tell(snapshot: Snapshot, started: number): void {
    this.#take({ elapsedSeconds: (this.#effects.now() - started) / 1000, ...snapshot })
  }

  /** Leaves the terminal clean for what comes next. */
  end(): void {
    this.#write(this.#erase())
    this.#drawn = []
    this.#ends += 1
    this.#counts = []
  }

  #take(snapshot: Snapshot): void {
    if (!this.enabled) return
    const now = this.#effects.now()
    this.#note(snapshot, now / 1000)
    const interval = this.#live ? PANEL_INTERVAL : QUIET_INTERVAL
    if (now - this.#lastTime < interval) return
    this.#lastTime = now
    if (this.#live) void this.#redraw(snapshot)
    else if (this.#options.json)
      this.#write(`${JSON.stringify({ event: 'progress', ...this.#record(snapshot) })}\n`)
    else this.#write(`${this.#line(snapshot)}\n`)
  }

  #note({ phase, share, orthos, bytes }: Snapshot, at: number): void {
    this.#estimate.note(phase, share, at)
    const count = bytes ?? orthos ?? 0
    if (count < (this.#counts.at(-1)?.count ?? 0)) this.#counts = []
    this.#counts.push({ at, count })
    while ((this.#counts[1]?.at ?? at) < at - RATE_SECONDS) this.#counts.shift()
  }

  /** Orthos or bytes a second of lately. */
  #rate(): number | undefined {
    const [first] = this.#counts
    const last = this.#counts.at(-1)
    if (!first || !last || last.at - first.at < 0.5) return undefined
    return (last.count - first.count) / (last.at - first.at)
  }

  #record(snapshot: Snapshot) {
    const left = this.#estimate.left()
    return {
      ...(this.title !== undefined && { title: this.title }),
      ...snapshot,
      ...(left && { secondsLeft: left.map((seconds) => Math.round(seconds)) }),
      memoryUsed: this.#effects.memoryUsed(),
    }
  }

  #line(snapshot: Snapshot): string {
    const title = this.title === undefined ? '' : `${this.title.replace(/\p{Cc}/gu, '\ufffd')}: `
    return title + describeProgress(snapshot, this.#estimate.describe())
  }

  async #redraw(snapshot: Snapshot): Promise<void> {
    const ends = this.#ends
    const meter = await meterFor([this.title ?? '', ...(snapshot.best?.words ?? [])])
    // It may have ended while the meter was loaded; nothing must appear after the end.
    if (ends !== this.#ends) return
    const { stderr, env } = this.#effects
    const lines = drawPanel(snapshot, {
      columns: stderr.columns,
      rows: stderr.rows,
      colour: !env['NO_COLOR'],
      meter,
      title: this.title,
      timeLeft: this.#estimate.describe(),
      rate: this.#rate(),
      memoryUsed: this.#effects.memoryUsed(),
      memoryBudget: this.#options.memoryBudget,
      diskBudget: this.#options.diskBudget,
    })
    const erase = this.#erase()
    this.#drawn = lines.map((line) => measured(line, meter))
    this.#write(`${erase}${lines.join('\n')}`)
  }

  /** What takes the panel off the screen, also if that has become narrower since and has broken its lines. */
  #erase(): string {
    if (this.#drawn.length === 0) return ''
    const { columns } = this.#effects.stderr
    const height = this.#drawn.reduce((rows, width) => rows + Math.max(1, Math.ceil(width / columns)), 0)
    return `\r${height > 1 ? `\u001b[${height - 1}A` : ''}\u001b[J`
  }

  #write(text: string): void {
    if (text === '') return
    // Progress that nobody can read any more is no reason to stop.
    this.#effects.stderr.write(text).catch(() => undefined)
  }
}

/** Columns of a line that may have colours. */
function measured(line: string, meter: Meter): number {
  // oxlint-disable-next-line no-control-regex -- these begin the sequences for colours
  return meter(line.replace(/\u001b\[\d+m/g, ''))
}

/** The snapshot as one line. */
export function describeProgress(snapshot: Snapshot, timeLeft?: string): string {
  const { phase, share, orthos, elapsedSeconds, best, memory, bytes, totalBytes } = snapshot
  const parts = [`${phaseName(phase)} ${percent(share)}`]
  if (bytes !== undefined) {
    parts.push(
      totalBytes === undefined ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(totalBytes)}`,
    )
  }
  if (orthos !== undefined) parts.push(`${formatCount(orthos)} orthos`)
  if (elapsedSeconds !== undefined) {
    parts.push(formatSeconds(elapsedSeconds))
    if (timeLeft !== undefined) parts.push(timeLeft)
    if (orthos && elapsedSeconds > 1) parts.push(`${formatCount(orthos / elapsedSeconds)} a second`)
  }
  if (memory) parts.push(formatSize(memory))
  if (best) parts.push(`best ${formatShape(best.dims)}: ${best.words.join(' ')}`)
  return parts.join(', ')
}
