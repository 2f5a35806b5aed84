/**
 * The worker's log: a line for each event, of JSON for machines and of words on a terminal. It is what a person reads in
 * the droplet's console.
 */
import type { Sink } from '../effects.js'
import { toFoldError } from '../errors.js'
import { formatSeconds } from '../report/numbers.js'
import { formatSize } from '../machine/size.js'

/** The phases of a worker's life. */
export type Phase = 'STARTUP' | 'DOWNLOAD' | 'PROCESS' | 'UPLOAD' | 'SHUTDOWN'

/** What there is to say of an event; undefined is left out. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

export class Log {
  readonly #sink: Sink
  readonly #time: () => number
  readonly #now: () => number
  #current: Phase = 'STARTUP'

  /** `time` gives milliseconds since 1970, `now` those of a clock that never goes backwards. */
  constructor(sink: Sink, { time, now }: { time(): number; now(): number }) {
    this.#sink = sink
    this.#time = time
    this.#now = now
  }

  /** Runs a phase between two lines; the second has how long it took, and what `work` says of it. */
  async phase<T>(phase: Phase, fields: Fields, work: () => Promise<[T, Fields]>): Promise<T> {
    this.#current = phase
    await this.say(phase, 'begin', fields)
    const began = this.#now()
    const seconds = () => Math.round(this.#now() - began) / 1000
    try {
      const [result, said] = await work()
      await this.say(phase, 'end', { ...fields, ...said, seconds: seconds() })
      return result
    } catch (error) {
      const { code, message } = toFoldError(error)
      await this.say(phase, 'failed', { ...fields, code, why: message, seconds: seconds() })
      throw error
    }
  }

  /** One line of the phase at hand. */
  note(event: string, fields: Fields): Promise<void> {
    return this.say(this.#current, event, fields)
  }

  /** One line. A log that cannot be written is no reason to lose a result. */
  async say(phase: Phase, event: string, fields: Fields = {}): Promise<void> {
    const time = new Date(this.#time()).toISOString()
    const line = this.#sink.isTerminal
      ? `${time.slice(11, 19)} ${phase.padEnd(8)} ${event}${words(fields)}`
      : JSON.stringify({ time, phase, event, ...fields })
    await this.#sink.write(`${line}\n`).catch(() => undefined)
  }
}

function words(fields: Fields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${name} ${word(name, value)}`)
    .join('')
}

function word(name: string, value: Fields[string]): string {
  if (typeof value === 'number' && name === 'seconds') return formatSeconds(value)
  if (typeof value === 'number' && /^(?:bytes|memory)$/.test(name)) return formatSize(value)
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
