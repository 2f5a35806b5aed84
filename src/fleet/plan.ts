/** Which droplets to make: inputs and shards to jobs, jobs to droplets. */
import { createHash } from 'node:crypto'
import { formatSize } from '../machine/size.js'
import { missingShards, type Coverage } from '../storage/coverage.js'
import type { Shard } from '../storage/names.js'
import { cost, sizeFor } from './sizes.js'

/** How to divide the work. */
export interface PlanOptions {
  inputsPerDroplet: number
  /** Droplets for each input, each with a part of the search; 1 for no shards. */
  shards: number
  /** A size for all, or one by the size of the inputs. */
  size: string | undefined
  /** Seconds that a droplet lives at the most. */
  maxSeconds: number
}

/** A droplet to be made. */
export interface PlannedDroplet {
  /** The same for the same work, so that it is not made twice. */
  name: string
  size: string
  /** Keys. */
  inputs: string[]
  shard: Shard | undefined
  bytes: number
  /** Dollars at the most; undefined if the price is not known. */
  mostCost: number | undefined
}

/** The droplets for what has no complete archive yet. */
export function plan(covered: readonly Coverage[], options: PlanOptions): PlannedDroplet[] {
  const open = covered.filter(({ state }) => state === 'none' || state === 'incomplete')
  if (options.shards === 1) return droplets(open, undefined, options)
  return Array.from({ length: options.shards }, (_, i) => i + 1).flatMap((index) => {
    const lacking = open.filter(({ archives }) => missingShards(archives, options.shards).includes(index))
    return droplets(lacking, { index, count: options.shards }, options)
  })
}

function droplets(
  open: readonly Coverage[],
  shard: Shard | undefined,
  options: PlanOptions,
): PlannedDroplet[] {
  const planned: PlannedDroplet[] = []
  for (let i = 0; i < open.length; i += options.inputsPerDroplet) {
    const inputs = open.slice(i, i + options.inputsPerDroplet).map(({ input }) => input)
    const size = options.size ?? sizeFor(Math.max(...inputs.map(({ bytes }) => bytes))).slug
    const keys = inputs.map(({ key }) => key)
    const mark = createHash('sha256')
      .update(JSON.stringify([keys, shard]))
      .digest('hex')
      .slice(0, 16)
    planned.push({
      name: `fold-${mark}`,
      size,
      inputs: keys,
      shard,
      bytes: inputs.reduce((sum, { bytes }) => sum + bytes, 0),
      mostCost: cost(size, options.maxSeconds),
    })
  }
  return planned
}

/** A line for people. */
export function describeDroplet({ name, size, inputs, shard, bytes, mostCost }: PlannedDroplet): string {
  const [first = ''] = inputs
  const what =
    inputs.length === 1 ? JSON.stringify(first) : `${inputs.length} inputs from ${JSON.stringify(first)}`
  const part = shard ? ` shard ${shard.index}/${shard.count}` : ''
  const most = mostCost === undefined ? 'price not known' : `at most $${mostCost.toFixed(2)}`
  return `${name}  ${size}  ${what}${part}, ${formatSize(bytes)}, ${most}`
}
