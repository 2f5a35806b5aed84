import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { memoryLimit } from '../lib/limit.mjs'
import { alternate, duration, mebibytes, median } from '../lib/measure.mjs'
import { startS3 } from '../lib/s3.mjs'

const SCRIPT = fileURLToPath(new URL('../lib/transfer.mjs', import.meta.url))
const MOST_PEAK = 200

/**
 * An archive to a bucket and back against `tar`, `zstd -3` and `rclone`, on one server on this machine; the whole worker
 * against `search` alone; the worker on the smallest droplet's memory and processor.
 */
export async function* transfer(tools) {
  if (tools.commandLine === undefined) throw new Error('the command line is not built')
  const place = join(tools.scratch, 'transfer')
  mkdirSync(place)
  const server = await startS3(place)
  if (server === undefined) throw new Error('there is no S3 server here, and no Go to build one with')
  try {
    yield* thereAndBack(tools, place, server)
    yield* worker(tools, place, server, 'novel-32000', tools.times(7, 3))
    yield* worker(tools, place, server, 'novel-64000', tools.times(3, 1), { atMost: 1.05 })
    yield* smallest(tools, place, server)
  } finally {
    server.stop()
    rmSync(place, { recursive: true, force: true })
  }
}

/** The log of a worker. */
function logOf({ stdout }) {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

async function* thereAndBack(tools, place, server) {
  const archive = join(place, 'archive.bin')
  // A real one of half a gigabyte: three texts without a word in common.
  const text = readFileSync(tools.text('novel-64000'), 'utf8')
  const file = join(place, 'three.txt')
  writeFileSync(file, ['', 'qx', 'qy'].map((ending) => inOtherWords(text, ending)).join('\n\n'))
  await tools.run(process.execPath, [tools.commandLine, 'search', file, '--out', archive, '--memory', '1G'])
  const bytes = size(archive)
  const scratch = join(place, 'scratch')
  const back = join(place, 'back.bin')
  const clean = () => {
    for (const path of [scratch, back, join(place, 'unpacked')])
      rmSync(path, { recursive: true, force: true })
    for (const path of [scratch, join(place, 'unpacked')]) mkdirSync(path)
  }
  const emptyBucket = () => {
    const bucket = join(server.data, 'fold-archives')
    for (const name of readdirSync(bucket)) {
      if (!name.startsWith('.')) rmSync(join(bucket, name), { recursive: true })
    }
  }
  const ours = (...words) => tools.run(process.execPath, [SCRIPT, ...words], { env: server.environment })
  const theirs = (command) =>
    tools.run('sh', ['-c', command], { env: { ...server.rclone, PLACE: place }, cwd: place })
  const times = tools.times(3)
  let key = ''
  const [stores, pipes] = await alternate(
    times,
    async () => {
      clean()
      emptyBucket()
      const run = await ours('store', archive, scratch)
      key = run.stdout
      return run
    },
    async () => {
      clean()
      const put =
        'tar -C "$PLACE" -c archive.bin | zstd -q -3 | rclone rcat bench:fold-archives/theirs.tar.zst'
      const run = await theirs(put)
      cpSync(join(server.data, 'fold-archives/theirs.tar.zst'), join(place, 'theirs.tar.zst'))
      return run
    },
  )
  const packed = statSync(join(place, 'theirs.tar.zst')).size
  const note = `${Math.round(bytes / 1e6)} MB, ${Math.round(packed / 1e6)} MB packed; both on this machine with their server`
  yield row('an archive packed and stored', stores, 'tar, zstd -3, rclone rcat', pipes, note)
  yield peakRow('memory of packing and storing', stores)
  const put = await ours('store', archive, (clean(), scratch))
  key = put.stdout
  await theirs('rclone rcat bench:fold-archives/theirs.tar.zst < "$PLACE/theirs.tar.zst"')
  const [fetches, unpacks] = await alternate(
    times,
    () => {
      clean()
      return ours('fetch', key, back)
    },
    () => {
      clean()
      return theirs(
        'rclone cat bench:fold-archives/theirs.tar.zst | zstd -q -d | tar -C "$PLACE/unpacked" -x',
      )
    },
  )
  yield row('the same fetched, checked and unpacked', fetches, 'rclone cat, zstd -d, tar -x', unpacks, '')
  yield peakRow('memory of fetching and unpacking', fetches)
  clean()
  emptyBucket()
  rmSync(archive, { recursive: true })
}

/** Every word becomes another one. */
function inOtherWords(text, ending) {
  return text.replace(/\p{L}[\p{L}\p{M}'\u2019]*/gu, `$&${ending}`)
}

function row(what, ours, name, theirs, note) {
  const seconds = ours.map((one) => one.seconds)
  const theirSeconds = theirs.map((one) => one.seconds)
  return {
    what,
    ours: duration(seconds),
    theirs: `${name}: ${duration(theirSeconds)}`,
    // Speed, not time.
    ratio: median(theirSeconds) / median(seconds),
    target: { atLeast: 0.8 },
    note,
    seconds,
    theirSeconds,
    cpu: ours.map((one) => one.cpu),
    theirCpu: theirs.map((one) => one.cpu),
  }
}

function peakRow(what, runs) {
  const peak = Math.max(...runs.map((one) => one.peak ?? 0))
  return {
    what,
    ours: mebibytes(peak || undefined),
    theirs: `${MOST_PEAK} MB`,
    ratio: peak / (MOST_PEAK * 1e6),
    target: { atMost: 1 },
    peak,
  }
}

/**
 * The worker with the time of its transfers taken off, by its own log, against `search`; both by processor time too. What
 * it takes more is the same for each text, some hundredths of a second, so a text of a tenth of a second has no aim.
 */
async function* worker(tools, place, server, text, times, target) {
  cpSync(tools.text(text), join(server.data, 'fold-input', 'text.txt'))
  const common = { FOLD_THREADS: '1', FOLD_MEMORY: '256M', INPUT_FILE: 'text.txt' }
  const state = join(place, 'state')
  const out = join(place, 'searched.bin')
  const [workers, searches] = await alternate(
    times,
    async () => {
      rmSync(state, { recursive: true, force: true })
      const env = { ...server.environment, ...common, LOCAL_STATE_DIR: state }
      const run = await tools.run(process.execPath, [tools.commandLine, '--mode', 'cloud-worker'], { env })
      const phases = logOf(run)
      const transfers = phases
        .filter(({ phase, event }) => event === 'end' && ['DOWNLOAD', 'UPLOAD'].includes(phase))
        .reduce((sum, { seconds }) => sum + seconds, 0)
      return { ...run, transfers, seconds: run.seconds - transfers }
    },
    () => {
      rmSync(out, { recursive: true, force: true })
      const args = ['search', tools.text(text), '--out', out, '--threads', '1', '--memory', '256M', '--quiet']
      return tools.run(process.execPath, [tools.commandLine, ...args])
    },
  )
  const seconds = workers.map((one) => one.seconds)
  const theirSeconds = searches.map((one) => one.seconds)
  yield {
    what: `the worker on ${text}, less its transfers`,
    ours: duration(seconds),
    theirs: `search: ${duration(theirSeconds)}`,
    ratio: median(seconds) / median(theirSeconds),
    target,
    note: `transfers ${duration(workers.map((one) => one.transfers))}, packing included`,
    seconds,
    theirSeconds,
    cpu: workers.map((one) => one.cpu),
    theirCpu: searches.map((one) => one.cpu),
  }
  rmSync(state, { recursive: true, force: true })
  rmSync(out, { recursive: true, force: true })
}

async function* smallest(tools, place, server) {
  const limit = memoryLimit(2 ** 30)
  if (limit === undefined) throw new Error('no control group with a memory limit can be made here')
  try {
    const text = 'novel-64000'
    cpSync(tools.text(text), join(server.data, 'fold-input', 'text.txt'))
    const state = join(place, 'state')
    const env = { ...server.environment, INPUT_FILE: 'text.txt', LOCAL_STATE_DIR: state }
    const command = ['taskset', ['-c', '0', process.execPath, tools.commandLine, '--mode', 'cloud-worker']]
    const run = await tools.run(...limit.wrap(...command), { env })
    const phases = logOf(run)
    const { orthos, complete } = phases.find(({ phase, event }) => phase === 'PROCESS' && event === 'end')
    if (orthos !== tools.expected(text) || !complete) throw new Error(`${text}: ${orthos} orthos`)
    yield {
      what: `the worker on ${text} in a control group of 1 GiB, page cache included, on one core`,
      ours: `${duration([run.seconds])}, ${mebibytes(run.peak)}`,
      note: `${orthos} orthos`,
      seconds: [run.seconds],
      peak: run.peak,
    }
  } finally {
    limit.remove()
  }
}

function size(path) {
  const stat = statSync(path)
  return stat.isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0)
    : stat.size
}
