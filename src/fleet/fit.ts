/** Which droplet a search would fit on, and what it would cost. */
import { SIZES, cost, type DropletSize } from './sizes.js'

/** A droplet that would do. */
export interface DropletEstimate {
  slug: string
  /** Seconds of the search there, if one processor there is as fast as one here. */
  seconds: number
  /** US dollars; undefined if the price is not known. */
  dollars: number | undefined
}

interface Range {
  likely: number
  high: number
}

/** Bytes of a droplet's disk that the system and the compressed archive of the same results leave for results. */
export function roomOf({ disk }: DropletSize): number {
  return (disk - SYSTEM) / 2
}

const SYSTEM = 6e9
/** A droplet is not kept for longer than this. */
const LONGEST = 30 * 86_400

/** The cheapest that holds results of so many bytes, and has them in a month; by the high end of what is likely. */
export function droplet(bytes: Range, seconds: Range, threads: number): DropletEstimate | undefined {
  for (const size of SIZES) {
    const there = (range: number) => (range * threads) / size.processors
    if (bytes.high > roomOf(size) || there(seconds.high) > LONGEST) continue
    return {
      slug: size.slug,
      seconds: there(seconds.likely),
      dollars: cost(size.slug, there(seconds.likely)),
    }
  }
  return undefined
}

/** In how many shards results of so many bytes fit on droplets of the largest size; undefined if in too many. */
export function shardsFor(bytes: number): number | undefined {
  const largest = SIZES.at(-1)
  const count = largest ? Math.ceil(bytes / roomOf(largest)) : Infinity
  return count <= MOST_SHARDS ? count : undefined
}

const MOST_SHARDS = 100
