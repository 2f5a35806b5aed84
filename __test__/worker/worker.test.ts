/** The worker with a directory in the place of the buckets. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { decompressArchive } from '../../src/archiving/decompress.js'
import { FoldError } from '../../src/errors.js'
import type { ArchiveSummary } from '../../src/manifest.js'
import { search } from '../../src/search.js'
import { coverage } from '../../src/storage/coverage.js'
import { S3IO } from '../../src/storage/s3-io.js'
import { parseShard, workerSettings } from '../../src/worker/environment.js'
import type { JobSearch } from '../../src/worker/job.js'
import { lockState } from '../../src/worker/lock.js'
import { runWorker } from '../../src/worker/worker.js'
import { collect } from '../support/compressed-archives.js'
import { SQUARE, endless, manySquares } from '../support/texts.js'
import { BIN, canMount, shell } from '../support/program.js'
import { temporary, world, type World } from '../support/world.js'

const real: JobSearch = (input, options) => search(input, { ...options, memory: 2 ** 28, threads: 1 })

/** Marks an archive as ended by a limit, as the search does. */
function markIncomplete(directory: string, limit: string): void {
  const path = join(directory, 'manifest.json')
  const before = createHash('sha256').update(readFileSync(path)).digest('hex')
  const manifest = {
    ...JSON.parse(readFileSync(path, 'utf8')),
    complete: false,
    limits: [{ name: limit, value: 0 }],
  }
  writeFileSync(path, JSON.stringify(manifest))
  const after = createHash('sha256').update(readFileSync(path)).digest('hex')
  const sums = join(directory, 'SHA256SUMS')
  writeFileSync(sums, readFileSync(sums, 'utf8').replace(before, after))
}

const limitedBy =
  (limit: string): JobSearch =>
  async (input, options) => {
    const summary = await real(input, options)
    markIncomplete(options.out, limit)
    return { ...summary, complete: false, limits: [{ name: limit, value: 0 }] } as ArchiveSummary
  }

interface Setting {
  spaces: string
  state: string
  env: Record<string, string>
  io: S3IO
}

function setting(t: ExecutionContext<unknown>, inputs: Record<string, string | Uint8Array>): Setting {
  const home = temporary(t)
  const spaces = join(home, 'spaces')
  for (const bucket of ['fold-input', 'fold-archives']) mkdirSync(join(spaces, bucket), { recursive: true })
  for (const [key, text] of Object.entries(inputs)) {
    mkdirSync(join(spaces, 'fold-input', key, '..'), { recursive: true })
    writeFileSync(join(spaces, 'fold-input', key), text)
  }
  const state = join(home, 'state')
  const env = { DO_SPACES_ENDPOINT: `file://${spaces}`, LOCAL_STATE_DIR: state, FOLD_TRANSFER_TIME: '20s' }
  return { spaces, state, env, io: S3IO.fromEnv(env) }
}

interface Run {
  it: World
  code: string
  lines: { phase: string; event: string; [field: string]: unknown }[]
}

async function run(
  { env }: Setting,
  input: string,
  options: {
    search?: JobSearch
    signal?: AbortSignal
    keepTime?: number
    storeTime?: number
    env?: Record<string, string>
  } = {},
): Promise<Run> {
  const it = world({ env: { ...env, INPUT_FILE: input, ...options.env } })
  const { search: searching = real, signal = new AbortController().signal, keepTime, storeTime } = options
  let code = 'OK'
  try {
    await runWorker({ effects: it, search: searching, signal, keepTime, storeTime })
  } catch (error) {
    code = error instanceof FoldError ? error.code : String(error)
  }
  return {
    it,
    code,
    lines: it.out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  }
}

const stateFiles = (state: string) =>
  existsSync(state) ? readdirSync(state, { recursive: true }).map(String).sort() : []

test('a text goes through all phases to an archive, and nothing is left on the disk', async (t) => {
  const place = setting(t, { 'books/a b+ü.txt': SQUARE })
  const { code, lines } = await run(place, 'books/a b+ü.txt')
  t.is(code, 'OK')
  t.deepEqual(
    lines.map(({ phase, event }) => `${phase} ${event}`),
    ['STARTUP', 'DOWNLOAD', 'PROCESS', 'UPLOAD', 'SHUTDOWN'].flatMap((phase) => [
      `${phase} begin`,
      `${phase} end`,
    ]),
  )
  t.like(lines[5], { phase: 'PROCESS', event: 'end', orthos: 1, complete: true })
  t.is(typeof lines[5]?.['seconds'], 'number')
  t.like(lines.at(-1), { exitCode: 0 })
  const [stored] = await collect(place.io.listArchives())
  t.like(stored, { inputName: 'books/a b+ü', facts: { complete: true, orthoCount: 1 } })
  t.regex(stored?.key ?? '', /^books\/a b\+ü_\d+\.tar\.zst$/)
  t.deepEqual(stateFiles(place.state), ['in_process', 'input'])
  const back = join(temporary(t), 'back.bin')
  const summary = await decompressArchive(join(place.spaces, 'fold-archives', stored?.key ?? ''), {
    out: back,
  })
  t.is(summary.input?.name, 'books/a b+ü')
})

test('on a terminal the log is words', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  const it = world({ env: { ...place.env, INPUT_FILE: 's3://fold-input/a.txt' }, terminal: true })
  await runWorker({ effects: it, search: real, signal: new AbortController().signal })
  t.regex(it.out, /^\d\d:\d\d:\d\d PROCESS {2}end {2}input "s3:\/\/fold-input\/a.txt" {2}orthos 1/m)
})

test('all that is wrong with the environment is said at once, without values', (t) => {
  const secret = 'planted secret'
  const error = t.throws(
    () =>
      workerSettings({
        DO_SPACES_REGION: 'nyc3',
        FOLD_MEMORY: secret,
        FOLD_THREADS: secret,
        FOLD_MAX_TIME: secret,
        FOLD_MAX_ORTHOS: secret,
        FOLD_SHARD: secret,
      }),
    { code: 'ENVIRONMENT_INVALID' },
  )
  for (const name of [
    'ACCESS_KEY',
    'SECRET_KEY',
    'INPUT_FILE',
    'MEMORY',
    'THREADS',
    'MAX_TIME',
    'MAX_ORTHOS',
    'SHARD',
  ]) {
    t.true(error.message.includes(name), name)
  }
  t.false(error.message.includes(secret))
})

test('the goal is the optimum, or all; what does not go with it is said', (t) => {
  const env = { DO_SPACES_ENDPOINT: 'file:///x', INPUT_FILE: 'a.txt' }
  const goal = (more: Record<string, string>) => workerSettings({ ...env, ...more }).goal
  t.deepEqual(goal({}), {})
  t.deepEqual(goal({ FOLD_GOAL: 'all' }), {})
  t.deepEqual(goal({ FOLD_GOAL: 'optimal' }), { goal: 'optimal' })
  t.deepEqual(goal({ FOLD_GOAL: 'optimal', FOLD_TOP: '7' }), { goal: 'optimal', top: 7 })
  for (const wrong of [
    { FOLD_GOAL: 'best' },
    { FOLD_TOP: '7' },
    { FOLD_GOAL: 'optimal', FOLD_TOP: '0' },
    { FOLD_GOAL: 'optimal', FOLD_SHARD: '1/2' },
    { FOLD_GOAL: 'optimal', FOLD_MAX_DIMS: '3' },
  ]) {
    t.throws(
      () => goal(wrong as Record<string, string>),
      { code: 'ENVIRONMENT_INVALID' },
      JSON.stringify(wrong),
    )
  }
})

test('the optimum of an input is finished work, and stored as what it is', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  const { code } = await run(place, 'a.txt', { env: { FOLD_GOAL: 'optimal', FOLD_TOP: '2' } })
  t.is(code, 'OK')
  t.like((await collect(place.io.listArchives()))[0], {
    facts: { complete: false, limits: [], top: 2, orthoCount: 1 },
  })
})

test('a shard is one of those that there are', (t) => {
  t.deepEqual(parseShard('3/8'), { index: 3, count: 8 })
  for (const text of ['0/8', '9/8', '1', '1/0', 'a/b', '1/2/3', '-1/2']) t.is(parseShard(text), undefined)
})

test('limits and shard reach the search, and the shard the name', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  let given: object = {}
  await run(place, 'a.txt', {
    search: (input, options) => {
      given = options
      return real(input, options)
    },
    env: {
      FOLD_MAX_TIME: '2m',
      FOLD_MAX_ORTHOS: '7',
      FOLD_SHARD: '2/3',
      FOLD_MEMORY: '512M',
      FOLD_THREADS: '2',
    },
  })
  t.like(given, { maxTime: 120, maxOrthos: 7, shard: { index: 2, count: 3 }, memory: 2 ** 29, threads: 2 })
  t.regex((await collect(place.io.listArchives()))[0]?.key ?? '', /^a_shard-2-of-3_\d+\.tar\.zst$/)
})

test('several inputs: each has its archive, and one that fails does not touch the others', async (t) => {
  const inputs = {
    'n/a.txt': SQUARE,
    'n/b.txt': manySquares(3),
    'n/bad.txt': Buffer.from([0xff, 0xfe, 0x00]),
    'n/empty.txt': '',
  }
  const place = setting(t, inputs)
  const { code, lines } = await run(place, 'n/')
  t.is(code, 'SOME_INPUTS_FAILED')
  t.deepEqual((await collect(place.io.listArchives())).map(({ inputName }) => inputName).sort(), [
    'n/a',
    'n/b',
    'n/empty',
  ])
  t.true(
    lines.some(
      ({ event, input, code: why }) =>
        event === 'failed' && input === 'n/bad.txt' && why === 'INPUT_NOT_UTF8',
    ),
  )
  const again = await run(place, '["n/a.txt","n/missing.txt","n/a.txt"]')
  t.is(again.code, 'SOME_INPUTS_FAILED')
  t.is((await collect(place.io.listArchives('n/a'))).length, 2)
  const none = await run(place, 'none/')
  t.is(none.code, 'INPUT_NOT_FOUND')
})

for (const [what, input, code] of [
  ['is missing', 'missing.txt', 'INPUT_NOT_FOUND'],
  ['is not UTF-8', 'bad.txt', 'INPUT_NOT_UTF8'],
  ['climbs', '../a.txt', 'INVALID_ARGUMENT'],
  ['is in a bucket that is not there', 's3://other-bucket/a.txt', 'INPUT_NOT_FOUND'],
] as const) {
  test(`an input that ${what} ends in its own code, and leaves nothing`, async (t) => {
    const place = setting(t, { 'bad.txt': Buffer.from([0x61, 0xff]) })
    t.is((await run(place, input)).code, code)
    t.deepEqual(stateFiles(place.state), ['in_process', 'input'])
    t.deepEqual(await collect(place.io.listArchives()), [])
  })
}

test('on a limit what was found is stored and marked, with the code of limits', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  t.is((await run(place, 'a.txt', { search: limitedBy('maxTime') })).code, 'LIMIT_REACHED')
  t.like((await collect(place.io.listArchives()))[0], { facts: { complete: false, limits: ['maxTime'] } })
  t.deepEqual(stateFiles(place.state), ['in_process', 'input'])
})

test('told to stop, it keeps and stores what there is; the next run goes on from that', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  const stop = new AbortController()
  const stopping: JobSearch = async (input, options) => {
    const asked = new Promise((resolve) => options.stop?.addEventListener('abort', resolve))
    stop.abort(new FoldError('TERMINATED', 'SIGTERM'))
    await asked
    return limitedBy('stopped')(input, options)
  }
  t.is((await run(place, 'a.txt', { search: stopping, signal: stop.signal })).code, 'STOPPED_INCOMPLETE')
  t.like((await collect(place.io.listArchives()))[0], { facts: { complete: false, limits: ['stopped'] } })
  let from: string | undefined
  const continuing: JobSearch = (input, options) => {
    from = options.continueFrom
    t.true(existsSync(join(from ?? '', 'manifest.json')))
    return real(input, options)
  }
  t.is((await run(place, 'a.txt', { search: continuing })).code, 'OK')
  t.regex(from ?? '', /before\/archive\.bin$/)
  t.deepEqual((await collect(place.io.listArchives())).map(({ facts }) => facts?.complete).sort(), [
    false,
    true,
  ])
  t.deepEqual(stateFiles(place.state), ['in_process', 'input'])
})

test('a limit of the environment ends a real search, and what it found is stored', async (t) => {
  const place = setting(t, { 'a.txt': manySquares(20) })
  t.is((await run(place, 'a.txt', { env: { FOLD_MAX_ORTHOS: '10' } })).code, 'LIMIT_REACHED')
  const [stored] = await collect(place.io.listArchives())
  t.like(stored, { facts: { complete: false, limits: ['maxOrthos'] } })
  t.true((stored?.facts?.orthoCount ?? 0) >= 10)
})

test('shards of one input are finished, and cover it together', async (t) => {
  const place = setting(t, { 'a.txt': manySquares(6) })
  for (const shard of ['1/2', '2/2']) {
    t.is((await run(place, 'a.txt', { env: { FOLD_SHARD: shard } })).code, 'OK')
  }
  const inputs = await collect(place.io.listInputs())
  t.deepEqual(
    coverage(inputs, await collect(place.io.listArchives())).map(({ state }) => state),
    ['sharded'],
  )
})

test('a search that does not stop is cancelled in time', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  const stop = new AbortController()
  const deaf: JobSearch = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error))
      stop.abort(new FoldError('TERMINATED', 'SIGTERM'))
    })
  t.is((await run(place, 'a.txt', { search: deaf, signal: stop.signal, keepTime: 50 })).code, 'TERMINATED')
  t.is((await run(place, 'a.txt')).code, 'OK')
})

test('a search that cannot even be cancelled does not keep the worker', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  const stop = new AbortController()
  const stuck: JobSearch = () => {
    stop.abort(new FoldError('TERMINATED', 'SIGTERM'))
    return new Promise(() => undefined)
  }
  const { code, it } = await run(place, 'a.txt', {
    search: stuck,
    signal: stop.signal,
    keepTime: 10,
    storeTime: 50,
  })
  t.is(code, 'TERMINATED')
  t.is(it.exited, 143)
  t.is((await run(place, 'a.txt')).code, 'OK')
})

test('a result that cannot be stored is kept, and stored by the next run without another search', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  rmSync(join(place.spaces, 'fold-archives'), { recursive: true })
  t.is((await run(place, 'a.txt')).code, 'BUCKET_NOT_FOUND')
  mkdirSync(join(place.spaces, 'fold-archives'))
  const { code, lines } = await run(place, 'a.txt', {
    search: () => Promise.reject(new Error('not to be called')),
  })
  t.is(code, 'OK')
  t.is(lines.filter(({ resumed }) => resumed === true).length, 2)
  t.is((await collect(place.io.listArchives())).length, 1)
  t.deepEqual(stateFiles(place.state), ['in_process', 'input'])
})

test('what was half removed when a worker was killed is no job, and is removed', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  rmSync(join(place.spaces, 'fold-archives'), { recursive: true })
  await run(place, 'a.txt')
  const inProcess = join(place.state, 'in_process')
  const [work = ''] = readdirSync(inProcess)
  mkdirSync(join(inProcess, `${work}.done/archive.bin`), { recursive: true })
  mkdirSync(join(inProcess, 'another.txt.work.done'))
  mkdirSync(join(place.spaces, 'fold-archives'))
  t.is((await run(place, 'a.txt')).code, 'OK')
  t.deepEqual(stateFiles(place.state), ['in_process', 'input'])
})

test('a directory has one worker at a time, and a dead one holds nothing', async (t) => {
  const directory = temporary(t)
  const first = world()
  const release = await lockState(directory, first)
  const second = { ...world(), pid: 99, isRunning: (pid: number) => pid === first.pid }
  await t.throwsAsync(lockState(directory, second), { code: 'STATE_IN_USE' })
  await release()
  const other = await lockState(directory, second)
  await other()
  await lockState(directory, first)
  await lockState(directory, { ...second, isRunning: () => false })
  // The number may be another process's since the machine was started again.
  writeFileSync(join(directory, 'worker.lock'), `${first.pid} an-earlier-start`)
  await lockState(directory, second)
  t.pass()
})

const withMounts = canMount ? test : test.skip

withMounts('while it works there is no network', async (t) => {
  const place = setting(t, { 'a.txt': SQUARE })
  const { code, err } = shell('unshare -rn "$NODE" "$BIN" --mode cloud-worker', {
    ...place.env,
    INPUT_FILE: 'a.txt',
  })
  t.is(code, 0, err)
  t.is((await collect(place.io.listArchives())).length, 1)
})

const STATE_FULL = `
  mount -t tmpfs -o size="$SIZE" none "$LOCAL_STATE_DIR" || exit 99
  work() { "$NODE" "$BIN" --mode cloud-worker; echo "code $?"; }`

/** Runs the built worker with its state on a file system of its own, by a shell script that has \`work\`. */
function onSmallDisk(place: Setting, size: string, script: string, env: Record<string, string> = {}) {
  mkdirSync(place.state)
  return shell(`unshare -rm sh -c '${STATE_FULL}\n${script}'`, {
    ...place.env,
    INPUT_FILE: 'a.txt',
    SIZE: size,
    ...env,
  })
}

withMounts('a disk that is full while the input comes is an error, and leaves nothing', async (t) => {
  const place = setting(t, { 'a.txt': manySquares(60) })
  const { out } = onSmallDisk(place, '128k', 'work; find "$LOCAL_STATE_DIR" -type f')
  t.regex(out, /"phase":"DOWNLOAD","event":"failed","input":"a.txt","code":"DISK_FULL"/)
  t.true(out.endsWith('code 8\n'), out)
})

withMounts(
  'a disk that fills while it searches ends the search by its reserve, or in an error',
  async (t) => {
    const place = setting(t, { 'a.txt': manySquares(50) })
    const reserve = onSmallDisk(place, '68m', 'work', { FOLD_DISK_RESERVE: '67M' })
    t.true(reserve.out.endsWith('code 18\n'), reserve.out)
    t.like((await collect(place.io.listArchives()))[0], {
      facts: { complete: false, limits: ['diskReserve'] },
    })
    const none = setting(t, { 'a.txt': manySquares(50) })
    const fill =
      'fallocate -l 66m "$LOCAL_STATE_DIR/filler" || head -c 66m /dev/zero > "$LOCAL_STATE_DIR/filler"'
    // The room is gone once the input is there.
    const script = `(while ! find "$LOCAL_STATE_DIR" -name source.txt | grep -q .; do sleep 0.01; done; ${fill}) & work`
    const full = onSmallDisk(none, '66500k', script, { FOLD_DISK_RESERVE: '0' })
    t.regex(full.out, /"phase":"PROCESS","event":"failed","input":"a.txt","code":"DISK_FULL"/)
    t.true(full.out.endsWith('code 8\n'), full.out)
    t.deepEqual(await collect(none.io.listArchives()), [])
  },
)

withMounts('a disk that is full while it packs keeps the result, and the next run stores it', async (t) => {
  const place = setting(t, { 'a.txt': manySquares(30) })
  const script = `
    work; rm -f "$LOCAL_STATE_DIR"/in_process/*/archive.tar.zst; mkdir "$BUCKET"
    head -c 200m /dev/zero > "$LOCAL_STATE_DIR/filler" 2> /dev/null; truncate -s -8k "$LOCAL_STATE_DIR/filler"; work
    rm "$LOCAL_STATE_DIR/filler"; work; find "$LOCAL_STATE_DIR" -type f`
  const archives = join(place.spaces, 'fold-archives')
  rmSync(archives, { recursive: true })
  const { out, err } = onSmallDisk(place, '80m', script, { BUCKET: archives })
  t.deepEqual(out.match(/^code .*/gm), ['code 25', 'code 8', 'code 0'], out + err)
  t.regex(out, /"phase":"UPLOAD","event":"failed","input":"a.txt","code":"DISK_FULL"/)
  t.is(out.match(/"phase":"PROCESS","event":"end","input":"a.txt","resumed":true/g)?.length, 2)
  t.true(out.endsWith('code 0\n'), out)
  t.like((await collect(place.io.listArchives()))[0], { facts: { complete: true } })
})

test('SIGTERM in the middle of a dense text: what was found is stored in time, and gone on with', async (t) => {
  const place = setting(t, { 'a.txt': endless(80) })
  const env = { ...place.env, INPUT_FILE: 'a.txt', FOLD_MEMORY: '512M' }
  const worker = spawn(process.execPath, [BIN, '--mode', 'cloud-worker'], { env })
  let out = ''
  worker.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const ended = once(worker, 'close')
  while (!out.includes('"phase":"PROCESS","event":"begin"')) await setTimeout(20)
  await setTimeout(1500)
  const asked = Date.now()
  worker.kill('SIGTERM')
  const [code] = (await ended) as [number]
  t.is(code, 33, out)
  // By its own clock: this process may be busy with other tests.
  const last = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { phase: string; time: string }
  t.is(last.phase, 'SHUTDOWN')
  t.true(Date.parse(last.time) - asked < 60_000, out)
  const [stored] = await collect(place.io.listArchives())
  t.like(stored, { facts: { complete: false, limits: ['stopped'] } })
  const found = stored?.facts?.orthoCount ?? 0
  t.true(found > 0)
  const again = shell('"$NODE" "$BIN" --mode cloud-worker', { ...env, FOLD_MAX_TIME: '2s' })
  t.is(again.code, 18, again.err)
  const counts = (await collect(place.io.listArchives())).map(({ facts }) => facts?.orthoCount ?? 0)
  t.is(counts.length, 2)
  t.true(Math.max(...counts) >= found, String(counts))
  t.deepEqual(stateFiles(place.state), ['in_process', 'input'])
})

test('two workers on one input both store an archive of the same content', async (t) => {
  const place = setting(t, { 'a.txt': manySquares(10) })
  const other = { ...place, env: { ...place.env, LOCAL_STATE_DIR: `${place.state}-2` } }
  const runs = await Promise.all([run(place, 'a.txt'), run(other, 'a.txt')])
  t.deepEqual(
    runs.map(({ code }) => code),
    ['OK', 'OK'],
  )
  const stored = await collect(place.io.listArchives())
  t.is(stored.length, 2)
  t.is(new Set(stored.map(({ facts }) => facts?.contentDigest)).size, 1)
})

test('killed at any moment and started again, it ends with the archive', async (t) => {
  const place = setting(t, { 'a.txt': manySquares(40), 'b.txt': SQUARE })
  const env = { ...place.env, INPUT_FILE: '["a.txt","b.txt"]' }
  const command = '"$NODE" "$BIN" --mode cloud-worker'
  const whole = shell(`date +%s%N; ${command} >&2; date +%s%N`, env)
  const [from = 0, to = 0] = whole.out.split('\n').map(Number)
  const milliseconds = (to - from) / 1e6
  const before = (await collect(place.io.listArchives())).length
  const moments = Number(process.env['FOLD_KILLS'] ?? 8)
  for (let i = 0; i < moments; i += 1) {
    const seconds = (milliseconds * (i + Math.random())) / moments / 1000
    const { code } = shell(`timeout -s KILL ${seconds.toFixed(3)} ${command}`, env)
    if (code !== 0) t.is(shell(command, env).code, 0)
    t.deepEqual(stateFiles(place.state), ['in_process', 'input'])
  }
  const stored = await collect(place.io.listArchives())
  t.true(stored.length >= before + 2 * moments)
  t.true(stored.every(({ facts }) => facts?.complete))
  t.is(new Set(stored.map(({ facts }) => facts?.contentDigest)).size, 2)
  t.deepEqual(
    readdirSync(join(place.spaces, 'fold-archives')).filter((name) => !name.endsWith('.tar.zst')),
    [],
  )
})
