import { alternate, duration, mebibytes, median } from '../lib/measure.mjs'
import { memoryLimit } from '../lib/limit.mjs'

const COUNT = 20_000_000
const BATCH = 65_536
const BUDGET = 64
const PEERS = { redb: 'redb', fjall: 'fjall', heed: 'LMDB' }
/** What a process may take beside the budget: its code, the batch, and some cache of its files. */
const SPARE = 64

/** SeenTracker against databases that hold the same set, and against a plain hash set. */
export async function* seen(tools) {
  const binary = tools.peer('seen')
  const memory = (count) => one(tools, binary, 'memory', { count, batch: Math.min(count, BATCH) })
  const [inMemory, plain] = await alternate(
    tools.times(3),
    () => one(tools, binary, 'tracker-memory'),
    () => memory(COUNT),
  )
  yield {
    what: 'SeenTracker, 20 M fingerprints, all in memory',
    ours: duration(inMemory.map((run) => run.seconds)),
    theirs: `hashbrown: ${duration(plain.map((run) => run.seconds))}`,
    ratio: median(plain.map((run) => run.seconds)) / median(inMemory.map((run) => run.seconds)),
    target: { atLeast: 0.5 },
  }

  const limit = memoryLimit((BUDGET + SPARE) << 20)
  try {
    if (limit === undefined) yield { what: 'SeenTracker, memory limited', note: 'no limit can be set here' }
    else
      yield* against(
        tools,
        binary,
        limit,
        `${BUDGET} MiB budget, process and page cache held to ${BUDGET + SPARE} MiB`,
      )
  } finally {
    limit?.remove()
  }
  yield* against(tools, binary, undefined, `${BUDGET} MiB budget, page cache unlimited`)

  const [base, full] = [await memory(1), await one(tools, binary, 'tracker')]
  if (base.peak !== undefined) {
    yield {
      what: `SeenTracker, growth of the process with a budget of ${BUDGET} MiB`,
      ours: mebibytes(full.peak - base.peak),
      theirs: `${BUDGET} MiB`,
      ratio: (full.peak - base.peak) / (BUDGET << 20),
      note: 'with the batches of the measurement itself',
    }
  }
}

async function* against(tools, binary, limit, how) {
  const ours = [await one(tools, binary, 'tracker', { limit })]
  const theirs = {}
  // Nobody is waited for much longer than the answer needs.
  const patience = Math.ceil(ours[0].seconds * (tools.quick ? 6 : 12))
  for (const peer of Object.keys(PEERS)) {
    try {
      theirs[peer] = await one(tools, binary, peer, { limit, patience })
    } catch (error) {
      process.stderr.write(`  ${PEERS[peer]}: ${error.message}\n`)
    }
    ours.push(await one(tools, binary, 'tracker', { limit }))
  }
  const seconds = ours.map((run) => run.seconds)
  const best = Math.min(patience, ...Object.values(theirs).map((run) => run.seconds))
  const shown = Object.entries(PEERS).map(
    ([peer, name]) =>
      `${name} ${theirs[peer] === undefined ? `not within ${patience} s` : `${theirs[peer].seconds.toFixed(1)} s`}`,
  )
  yield {
    what: `SeenTracker, 20 M fingerprints, ${how}`,
    ours: duration(seconds),
    theirs: shown.join(', '),
    ratio: best / median(seconds),
    target: { atLeast: 5 },
    note: Object.keys(theirs).length === 0 ? 'at least; nobody ended in time' : processorTime(ours, theirs),
    seconds,
    cpu: ours.map((run) => run.cpu),
    theirSeconds: Object.fromEntries(Object.entries(theirs).map(([peer, run]) => [peer, run.seconds])),
  }
}

/** On a busy machine it says more than the time by the clock. It includes the making of the fingerprints. */
function processorTime(ours, theirs) {
  const shown = Object.entries(theirs).map(([peer, run]) => `${PEERS[peer]} ${run.cpu?.toFixed(1)} s`)
  const own = ours.map((run) => run.cpu)
  return own.includes(undefined)
    ? ''
    : `processor time: ours ${median(own).toFixed(1)} s, ${shown.join(', ')}`
}

async function one(tools, binary, peer, { count = COUNT, batch = BATCH, limit, patience } = {}) {
  const args = [`${count}`, `${batch}`, `${BUDGET}`, peer]
  const [command, all] = limit === undefined ? [binary, args] : limit.wrap(binary, args)
  const child = await tools.run(command, all, patience === undefined ? {} : { limit: patience })
  return { ...child, seconds: JSON.parse(child.stdout).seconds }
}
