/** What to know before a search that no disk could hold: it is estimated first, and the ways out are named. */
import { dirname, resolve } from 'node:path'
import type { Effects } from '../effects.js'
import type { Estimate } from '../estimate.js'
import { shardsFor } from '../fleet/fit.js'
import { formatSize } from '../machine/size.js'
import { aboutCount, aboutSize, describeOrthos } from '../report/forecast.js'
import type { Library } from './base.js'

/** Texts of fewer bytes are searched without much thought. */
const SMALL_TEXT = 64 * 1024

/** What is asked for. */
export interface Asked {
  /** The text. */
  file: string
  /** Where the archive will be. */
  out: string
  memory: number | undefined
  threads: number | undefined
  signal: AbortSignal
}

/** Lines of advice, none if all orthos will fit. What goes wrong on the way is told by the search itself. */
export async function adviceBefore(
  { file, out, memory, threads, signal }: Asked,
  effects: Effects,
  { estimate }: Pick<Library, 'estimate'>,
): Promise<string[]> {
  try {
    const { size } = await effects.files.stat(file)
    if (size < SMALL_TEXT) return []
    const free = await freeBytes(dirname(resolve(out)), effects)
    const expected = await estimate({ path: file }, { memory, threads, signal, probe: false })
    return expected.bytes.likely > free ? describeAdvice(file, expected, free) : []
  } catch {
    return []
  }
}

/** Bytes that are free where a directory is or will be made. */
async function freeBytes(directory: string, { files }: Effects): Promise<number> {
  try {
    const { bavail, bsize } = await files.statfs(directory)
    return bavail * bsize
  } catch (error) {
    if (dirname(directory) === directory) throw error
    return freeBytes(dirname(directory), { files } as Effects)
  }
}

/** Says what does not fit and what would. */
export function describeAdvice(file: string, expected: Estimate, free: number): string[] {
  const { bytes, shapes } = expected
  const lines = [
    `${file}: ${describeOrthos(expected)} orthos; ${formatSize(free)} are free for an archive of ${aboutSize(bytes.likely)}${expected.atLeast ? ' or more' : ''}. ` +
      'The search ends when the disk is nearly full and keeps what it has found by then. Ways out:',
    `  --goal optimal    only the optimal ortho, proved, or with --top K the K best`,
  ]
  const [most, count] = mostDims(shapes, free / expected.bytesPerOrtho)
  if (most >= 2)
    lines.push(
      `  --max-dims ${most}      only orthos of at most ${most} dimensions: about ${aboutCount(count)}`,
    )
  const shards = shardsFor(expected.atLeast ? Infinity : bytes.high)
  if (shards !== undefined) {
    const parts = Math.max(2, Math.ceil(bytes.high / (free * 0.9)))
    lines.push(`  --shard 1/${parts}       one of ${parts} parts here, the others on other machines`)
  } else {
    lines.push(`  --shard i/n       is no way out here: there are too many for any number of machines`)
  }
  lines.push(
    `  fold-worker stage chapters as texts of their own, which have far fewer`,
    `fold-worker estimate ${file} says more; --no-estimate or FOLD_ESTIMATE=0 leaves this out.`,
  )
  return lines
}

/** The most dimensions of which there are no more orthos than fit, and how many these are. */
function mostDims(shapes: Estimate['shapes'], fit: number): [dims: number, count: number] {
  const byDims = new Map<number, number>()
  for (const [shape, { likely }] of Object.entries(shapes)) {
    const dims = shape.split('x').length
    byDims.set(dims, (byDims.get(dims) ?? 0) + likely)
  }
  let [most, count] = [0, 0]
  for (let dims = 2; byDims.has(dims); dims += 1) {
    const next = count + (byDims.get(dims) ?? 0)
    if (next > fit) break
    ;[most, count] = [dims, next]
  }
  return [most, count]
}
