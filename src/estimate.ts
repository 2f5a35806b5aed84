/** What listing every ortho of a text would take, before it is done, as a library function. */
import { join } from 'node:path'
import type { NativeEstimateRequest } from './addon.js'
import { machine } from './effects.js'
import { droplet, type DropletEstimate } from './fleet/fit.js'
import { defaultMemory, withCoreMemory } from './machine/memory.js'
import { search, source, type SearchInput } from './search.js'
import { checkInteger, runTask, type TaskOptions } from './task.js'

/** A number that is not known exactly: it lies between `low` and `high` with a chance of nine in ten. */
export interface Range {
  low: number
  likely: number
  high: number
}

/** Options of {@link estimate}. */
export interface EstimateOptions extends Pick<TaskOptions, 'signal' | 'onProgress'> {
  /** Bytes of memory that the whole process may take. Default: half of what the machine or its control group grants. */
  memory?: number | undefined
  /** Number of threads. Default: one for each processor. */
  threads?: number | undefined
  /** Whether the speed of this machine is measured by a search of about a second. Default: true. */
  probe?: boolean | undefined
  /** What random choices are drawn from: equal seeds give equal numbers of orthos. */
  seed?: number | undefined
}

/** What {@link estimate} gives. */
export interface Estimate {
  input: { name: string; sha256: string; bytes: number }
  /** Number of distinct words. */
  vocabulary: number
  orthos: Range
  /** Orthos by shape; shapes of which there are few may be missing. */
  shapes: Record<string, Range>
  /** Whether the numbers of orthos are no estimate but counted. */
  exact: boolean
  /** Whether there are more still, of shapes that were not looked at, as these alone are beyond any disk. */
  atLeast: boolean
  /** Whether the range spans a factor of 4 or more: then it says no more than how many digits the number has. */
  wide: boolean
  /** Bytes of results in the archive. */
  bytes: Range
  bytesPerOrtho: number
  /** Seconds that the search would take here; null without a probe. */
  seconds: Range | null
  /** Orthos that were found a second; null without a probe. */
  rate: number | null
  /** Threads that this speaks of. */
  threads: number
  /** The cheapest droplet that would do, and what it would cost; null if none would, or without a probe. */
  droplet: DropletEstimate | null
}

/** What the core gives. */
type Expected = Pick<Estimate, 'input' | 'vocabulary' | 'orthos' | 'shapes' | 'exact' | 'atLeast'>

/** What a short search told. */
interface Probe {
  rate: number
  seconds: number
  bytesPerOrtho: number | undefined
  /** If it found everything. */
  counted: Pick<Estimate, 'shapes' | 'orthos'> | undefined
}

/** Bytes that an ortho takes in archives of texts with millions, nearly all of them cubes. */
const BYTES_PER_ORTHO = 2.4
const PROBE_SECONDS = 1
/** So many orthos tell what one takes. */
const ENOUGH = 10_000
const WIDE = 4

/**
 * Estimates how many orthos a text has, by shape, and what listing them would take in bytes and time, on this machine and
 * on a droplet. It takes seconds, whatever the text; nothing is written but for the probe, which is removed.
 *
 * @example
 * ```ts
 * const { orthos, bytes } = await estimate({ path: 'book.txt' })
 * ```
 */
export async function estimate(input: SearchInput, options: EstimateOptions = {}): Promise<Estimate> {
  const { signal, probe: wanted = true, seed = 1 } = options
  const threads = checkInteger('threads', options.threads ?? (await machine.processors()), 1, 1024)
  const memory = options.memory ?? (await defaultMemory(machine))
  const probe = wanted ? await measure(input, { threads, memory, signal }) : undefined
  const request: Omit<NativeEstimateRequest, 'memory'> = {
    ...source(input),
    threads,
    seed: checkInteger('seed', seed, 0, 2 ** 32 - 1),
  }
  const expected = await withCoreMemory(memory, (coreMemory) =>
    runTask<Expected>(
      (addon, control) => addon.estimate({ ...request, memory: coreMemory }, control),
      options,
    ),
  )
  return { ...expected, ...consequences(expected, threads, probe) }
}

function consequences(expected: Expected, threads: number, probe: Probe | undefined) {
  const { orthos, shapes, exact } = { ...expected, ...(probe?.counted && { ...probe.counted, exact: true }) }
  const bytesPerOrtho = probe?.bytesPerOrtho ?? BYTES_PER_ORTHO
  const bytes = times(orthos, bytesPerOrtho)
  const seconds = probe && (probe.counted ? times(ONE, probe.seconds) : times(orthos, 1 / probe.rate))
  return {
    orthos,
    shapes,
    exact,
    wide: orthos.high >= WIDE * Math.max(1, orthos.low),
    bytes,
    bytesPerOrtho,
    seconds: seconds ?? null,
    rate: probe?.rate ?? null,
    threads,
    droplet: seconds ? (droplet(bytes, seconds, threads) ?? null) : null,
  }
}

const ONE: Range = { low: 1, likely: 1, high: 1 }

function times({ low, likely, high }: Range, factor: number): Range {
  return { low: low * factor, likely: likely * factor, high: high * factor }
}

function exactly(n: number): Range {
  return { low: n, likely: n, high: n }
}

/** Searches for about a second. */
async function measure(
  input: SearchInput,
  options: { threads: number; memory: number; signal: AbortSignal | undefined },
): Promise<Probe> {
  const directory = join(await machine.scratch(), `fold-worker-probe-${machine.uniqueId()}`)
  const enough = new AbortController()
  let began: number | undefined
  try {
    const found = await search(input, {
      ...options,
      out: join(directory, 'probe.bin'),
      stop: enough.signal,
      onProgress: ({ phase, elapsedSeconds }) => {
        if (phase !== 'search') return
        began ??= elapsedSeconds
        if (elapsedSeconds - began >= PROBE_SECONDS) enough.abort()
      },
    })
    const { orthoCount, complete, bytes, shapes } = found
    const all = found.search?.elapsedSeconds ?? PROBE_SECONDS
    // What was done before the search began, and after it, counts little in a long one.
    const seconds = complete ? all : Math.max(PROBE_SECONDS / 2, all - (began ?? 0))
    return {
      rate: Math.max(1, orthoCount) / seconds,
      seconds,
      bytesPerOrtho: orthoCount >= ENOUGH || (complete && orthoCount > 0) ? bytes / orthoCount : undefined,
      counted: complete
        ? {
            orthos: exactly(orthoCount),
            shapes: Object.fromEntries(Object.entries(shapes).map(([shape, n]) => [shape, exactly(n)])),
          }
        : undefined,
    }
  } finally {
    await machine.files.rm(directory, { recursive: true, force: true })
  }
}
