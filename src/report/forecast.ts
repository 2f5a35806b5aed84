/** What people are told before a search. */
import type { Estimate, Range } from '../estimate.js'
import { shardsFor } from '../fleet/fit.js'
import { formatSize } from '../machine/size.js'
import { compareShapes } from '../shape.js'
import { formatCount, formatSeconds, plural } from './numbers.js'

/** Shapes that are listed: those of which there are most. */
const MOST_SHAPES = 12
/** Past this a number says nothing in full. */
const MOST_DIGITS = 1e15
const YEAR = 365.25 * 86_400
const LONGEST = 100 * YEAR

/** The report of `estimate`. */
export function describeEstimate(estimate: Estimate): string[] {
  const { input, vocabulary, wide, atLeast, bytesPerOrtho, bytes, seconds, rate, threads } = estimate
  const rows: [string, string][] = [
    ['text', `${input.name} (${formatSize(input.bytes)}, ${formatCount(vocabulary)} distinct words)`],
    ['orthos', describeOrthos(estimate)],
    ...(wide && !atLeast
      ? ([['', 'the range is wide: expect no more of it than the number of digits']] as [string, string][])
      : []),
    ['archive', `${about(bytes, aboutSize)}, at ${bytesPerOrtho.toFixed(1)} bytes an ortho`],
  ]
  if (seconds && rate !== null) {
    rows.push([
      'time',
      `${about(seconds, aboutSeconds)} here with ${plural(threads, 'thread')}, at ${formatCount(rate)} orthos a second`,
    ])
    rows.push(['droplet', describeDroplet(estimate)])
  }
  return [...rows.map(([name, value]) => `${name.padEnd(9)}${value}`), '', ...shapeLines(estimate)]
}

function describeDroplet({ droplet, bytes }: Estimate): string {
  if (droplet) {
    const { slug, seconds, dollars } = droplet
    const price = dollars === undefined ? 'price not known' : `$${dollars.toFixed(2)}`
    return `${slug}: ${aboutSeconds(seconds)}, ${price}`
  }
  const shards = shardsFor(bytes.high)
  return shards === undefined || shards < 2
    ? 'no droplet would do'
    : `no single droplet would do; ${formatCount(shards)} shards would fit on as many of the largest size`
}

function shapeLines({ shapes, exact }: Estimate): string[] {
  const all = Object.entries(shapes).sort(([, a], [, b]) => b.likely - a.likely)
  const shown = all.slice(0, MOST_SHAPES).sort(([a], [b]) => compareShapes(a, b))
  const width = Math.max(0, ...shown.map(([shape]) => shape.length))
  const lines = shown.map(([shape, range]) => `${shape.padEnd(width)}  ${about(range, aboutCount)}`)
  const left = all.length - shown.length
  if (left > 0) lines.push(`and ${plural(left, 'more shape')}${exact ? '' : ' of which there are fewer'}`)
  return lines
}

/** The number of orthos, with what is known of it. */
export function describeOrthos({
  orthos,
  exact,
  atLeast,
}: Pick<Estimate, 'orthos' | 'exact' | 'atLeast'>): string {
  if (atLeast) return `more than ${aboutCount(orthos.low)}, which is beyond any disk`
  return exact ? aboutCount(orthos.likely) : `about ${about(orthos, aboutCount)}`
}

/** The likely value, with the range if there is one. */
export function about({ low, likely, high }: Range, format: (value: number) => string): string {
  const [from, most, to] = [low, likely, high].map(format)
  return from === to ? `${most}` : `${most} (${from} to ${to})`
}

/** A count, in powers of ten where it is beyond reading. */
export function aboutCount(n: number): string {
  if (n >= MOST_DIGITS) return n.toExponential(1).replace('e+', 'e')
  // Of an estimate three digits say enough.
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, n))) - 5)
  return formatCount(Math.round(n / unit) * unit)
}

/** Bytes, in powers of ten where there is no such disk. */
export function aboutSize(bytes: number): string {
  return bytes >= MOST_DIGITS ? `${bytes.toExponential(1).replace('e+', 'e')} bytes` : formatSize(bytes)
}

/** Seconds up to a lifetime. */
export function aboutSeconds(seconds: number): string {
  if (seconds >= LONGEST) return `${aboutCount(seconds / YEAR)} years`
  return seconds >= 3 * 86_400 ? `${formatCount(seconds / 86_400)} days` : formatSeconds(seconds)
}
