import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { alternate, duration, mebibytes, median } from '../lib/measure.mjs'
import { searchOnce, startOnce } from '../lib/search.mjs'

/** A whole search on one thread, archive written, against a prototype's. */
export async function* search(tools) {
  yield* small(tools, 'novel-16000')
  yield* small(tools, 'novel-32000')
  yield* large(tools, 'novel-64000')
}

function figures(runs, text) {
  const seconds = runs.map((run) => run.seconds)
  const { orthos, bytes } = runs[0]
  const peak = Math.max(...runs.map((run) => run.peak ?? 0)) || undefined
  return {
    what: `search of ${text}, 1 thread`,
    ours: `${duration(seconds)}, ${perSecond(orthos, median(seconds))}, ${mebibytes(peak)}, ${(bytes / orthos).toFixed(2)} bytes an ortho`,
    seconds,
    cpu: runs.map((run) => run.cpu),
    peak,
    bytes,
    orthos,
  }
}

function perSecond(orthos, seconds) {
  const rate = orthos / seconds
  return rate < 1e6 ? `${(rate / 1e3).toFixed(0)} k/s` : `${(rate / 1e6).toFixed(2)} M/s`
}

/**
 * What takes milliseconds: the start of the process, which no prototype has, is taken off: that of the same command with a
 * text of four words. The note has the ratio with only `node -e 0` taken off.
 */
async function* small(tools, text) {
  const prototype = tools.prototype('prototype')
  const byNode = tools.commandLine !== undefined
  const theirs = async () => (await tools.run(prototype, [tools.text(text), 't=1'])).seconds
  const nothing = async () => (await tools.run(process.execPath, ['-e', '0'])).seconds
  const start = async () => (await startOnce(tools)).seconds
  const [ours, their, starts, nodes] = await alternate(
    tools.times(11, 5),
    () => searchOnce(tools, text, 1),
    prototype === undefined ? () => undefined : theirs,
    byNode ? start : () => 0,
    byNode ? nothing : () => 0,
  )
  const row = figures(ours, text)
  if (prototype === undefined) {
    yield { ...row, note: 'no prototype here: set FOLD_SHARED' }
    return
  }
  yield {
    ...row,
    theirs: `prototype, counting only: ${duration(their)}`,
    ratio: (median(row.seconds) - median(starts)) / median(their),
    target: { atMost: 1.5 },
    note: byNode
      ? `less its own start, ${duration(starts)}; less node -e 0, ${duration(nodes)}, the ratio is ${((median(row.seconds) - median(nodes)) / median(their)).toFixed(2)}`
      : 'core alone, the command line is not built',
    theirSeconds: their,
    startSeconds: starts,
  }
}

async function* large(tools, text) {
  const prototype = tools.prototype('prototype-emit')
  const theirs = async () => {
    // It leaves its file in the temporary directory.
    const env = { ORD: 'out', REV: '1', TMPDIR: tools.scratch }
    const { stderr, peak } = await tools.run(prototype, [tools.text(text), 'enc'], { env })
    for (const name of readdirSync(tools.scratch).filter((entry) => /^out_\d+\.bin$/.test(entry))) {
      rmSync(join(tools.scratch, name))
    }
    // Its own figure: afterwards it decodes what it wrote.
    return { seconds: Number(/^enc \d+ orthos ([\d.]+) s/m.exec(stderr)?.[1]), peak }
  }
  const [ours, their] = await alternate(
    tools.times(3),
    () => searchOnce(tools, text, 1),
    prototype === undefined ? () => undefined : theirs,
  )
  const row = figures(ours, text)
  yield {
    what: `peak memory of that with --memory 256M, ${text}`,
    ours: mebibytes(row.peak),
    theirs: '256 MiB',
    ratio: row.peak === undefined ? undefined : row.peak / 2 ** 28,
    target: { atMost: 1 },
  }
  if (prototype === undefined) {
    yield { ...row, note: 'no prototype-emit here: set FOLD_SHARED' }
    return
  }
  const theirSeconds = their.map((run) => run.seconds)
  yield {
    ...row,
    theirs: `prototype-emit: ${duration(theirSeconds)}`,
    ratio: median(row.seconds) / median(theirSeconds),
    target: { atMost: 1.5 },
    note: tools.commandLine === undefined ? 'core alone, the command line is not built' : '',
    theirSeconds,
  }
}
