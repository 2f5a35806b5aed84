/** Droplet sizes and what they cost, in US dollars; deploy/README.md says as of when. */

/** A size of droplets. */
export interface DropletSize {
  slug: string
  monthly: number
  processors: number
  /** Bytes of its disk. */
  disk: number
  /** Inputs of up to so many bytes are given this size when none is asked for. */
  mostInput: number
}

export const SIZES: readonly DropletSize[] = [
  { slug: 's-1vcpu-1gb', monthly: 6, processors: 1, disk: 25e9, mostInput: 64 * 1024 },
  { slug: 's-1vcpu-2gb', monthly: 12, processors: 1, disk: 50e9, mostInput: 256 * 1024 },
  { slug: 's-2vcpu-4gb', monthly: 24, processors: 2, disk: 80e9, mostInput: Infinity },
]

/** Hours that a month is billed for at the most. */
const HOURS_A_MONTH = 672
const LEAST_COST = 0.01

/** The smallest size for a job whose largest input has so many bytes. */
export function sizeFor(bytes: number): DropletSize {
  return SIZES.find(({ mostInput }) => bytes <= mostInput) ?? (SIZES.at(-1) as DropletSize)
}

/** Dollars for so many seconds; undefined for a size that is not in the table. */
export function cost(slug: string, seconds: number): number | undefined {
  const size = SIZES.find((one) => one.slug === slug)
  return size && Math.max(LEAST_COST, (size.monthly / HOURS_A_MONTH) * (seconds / 3600))
}
