/** What the inputs of planned droplets would come to, where that can be had cheaply: small inputs, and not too many. */
import { join } from 'node:path'
import type { Effects } from '../effects.js'
import type { Estimate, estimate } from '../estimate.js'
import { toFoldError } from '../errors.js'
import { aboutSize, describeOrthos } from '../report/forecast.js'
import type { S3IO } from '../storage/s3-io.js'
import { roomOf } from './fit.js'
import type { PlannedDroplet } from './plan.js'
import { SIZES } from './sizes.js'

/** Inputs of more bytes are not brought here for an estimate. */
const MOST_BYTES = 2 ** 20
/** Nor are more inputs than this. */
const MOST_INPUTS = 12

/** What the lines need. */
export interface ForecastTools {
  io: Pick<S3IO, 'downloadInput'>
  effects: Pick<Effects, 'files' | 'scratch' | 'uniqueId'>
  estimate: typeof estimate
  signal: AbortSignal
}

/** A line for each input of the droplets: its orthos, and whether they fit there; the rest is said to be not estimated. */
export async function forecast(droplets: readonly PlannedDroplet[], tools: ForecastTools): Promise<string[]> {
  const { io, effects, estimate, signal } = tools
  const inputs = droplets.flatMap(({ inputs: keys, size, shard, bytes }) =>
    keys.map((key) => ({ key, size, parts: shard?.count ?? 1, small: bytes <= MOST_BYTES })),
  )
  const wanted = [...new Map(inputs.map((input) => [input.key, input])).values()]
  const chosen = wanted.filter(({ small }) => small).slice(0, MOST_INPUTS)
  const directory = join(await effects.scratch(), `fold-worker-forecast-${effects.uniqueId()}`)
  const lines: string[] = []
  try {
    await effects.files.mkdir(directory)
    for (const [index, { key, size, parts }] of chosen.entries()) {
      signal.throwIfAborted()
      const path = join(directory, `${index}.txt`)
      try {
        await io.downloadInput(key, path, { signal })
        lines.push(describe(key, await estimate({ path }, { probe: false, signal }), size, parts))
      } catch (error) {
        if (signal.aborted) throw error
        lines.push(`  ${JSON.stringify(key)}: not estimated: ${toFoldError(error).message}`)
      }
    }
  } finally {
    await effects.files.rm(directory, { recursive: true, force: true })
  }
  const left = wanted.length - chosen.length
  if (left > 0)
    lines.push(`  not estimated, as they are many or long: ${left} inputs; see fold-worker estimate`)
  return lines
}

function describe(key: string, expected: Estimate, slug: string, parts: number): string {
  const size = SIZES.find((one) => one.slug === slug)
  const each = expected.bytes.likely / parts
  const fits = size === undefined || each <= roomOf(size)
  const verdict = fits ? '' : `: more than ${slug} holds; see --size, --shards, or FOLD_GOAL=optimal`
  const part = parts > 1 ? ` in each of ${parts} shards` : ''
  const archive = `an archive of ${aboutSize(each)}${expected.atLeast ? ' or more' : ''}${part}`
  return `  ${JSON.stringify(key)}: ${describeOrthos(expected)} orthos, ${archive}${verdict}`
}
