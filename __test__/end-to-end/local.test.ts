/** Several of the built program on one state directory; processes that are killed or stopped; full disks; large files. */
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openArchive } from '../../src/index.js'
import { canMount, foldWorker, shell, startFoldWorker } from '../support/program.js'
import { SQUARE, endless, manySquares } from '../support/texts.js'
import { temporary } from '../support/world.js'

function stateWith(t: ExecutionContext, texts: Record<string, string>): string {
  const state = temporary(t)
  mkdirSync(join(state, 'input'))
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(state, 'input', name), text)
  return state
}

/** Starts local mode; `ended` resolves to what it said. */
function start(state: string, ...args: string[]) {
  const child = startFoldWorker([
    '--state-dir',
    state,
    '--no-merge',
    '--threads',
    '1',
    '--memory',
    '192M',
    ...args,
  ])
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }))
  return { child, ended }
}

/** Waits until there is something at the path, with something in it. */
async function until(path: string): Promise<void> {
  while (!existsSync(path) || readFileSync(path).length === 0) {
    await new Promise((resolve) => void setTimeout(resolve, 20))
  }
}

test('processes share the texts of one state directory', async (t) => {
  const names = Array.from({ length: 20 }, (_, i) => `text ${i}.txt`)
  const state = stateWith(t, Object.fromEntries(names.map((name) => [name, manySquares(20)])))
  const all = Array.from({ length: 4 }, () => start(state, '--json', '--quiet'))
  const outcomes = await Promise.all(all.map(({ ended }) => ended))
  const searched: string[] = []
  for (const { code, out, err } of outcomes) {
    t.is(code, 0, err)
    for (const line of out.trim().split('\n')) {
      const { event, input } = JSON.parse(line) as { event: string; input: { name: string } }
      if (event === 'searched') searched.push(`${input.name}.txt`)
    }
  }
  t.deepEqual(searched.sort(), names.toSorted())
  t.deepEqual(readdirSync(join(state, 'done')).sort(), names.toSorted())
  t.deepEqual(readdirSync(join(state, 'in_process')), [])
  t.is(readdirSync(join(state, 'input')).length, 20)
})

test('the text of a killed process is taken over', async (t) => {
  const state = stateWith(t, { 'x.txt': endless(60) })
  const work = join(state, 'in_process/x.txt.work')
  const { child, ended } = start(state, '--stale-after', '1s')
  await until(join(work, 'source.txt'))
  child.kill('SIGKILL')
  await ended
  // Nobody lives to see a search of that one end.
  writeFileSync(join(work, 'source.txt'), SQUARE)
  const { code, out, err } = await start(state, '--stale-after', '1s').ended
  t.is(code, 0, err)
  t.regex(err, /x\.txt\.work: taken over/)
  t.regex(out, /optimal ortho/)
  t.deepEqual(readdirSync(join(state, 'input')), ['x.bin'])
  t.deepEqual(readdirSync(join(state, 'in_process')), [])
})

const onPosix = process.platform === 'win32' ? test.skip : test

onPosix('an owner that sleeps too long gives up quietly when it wakes', async (t) => {
  const state = stateWith(t, { 'x.txt': endless(60) })
  const work = join(state, 'in_process/x.txt.work')
  const sleeper = start(state, '--stale-after', '1s')
  await until(join(work, 'source.txt'))
  await until(join(work, 'heartbeat'))
  sleeper.child.kill('SIGSTOP')
  writeFileSync(join(work, 'source.txt'), SQUARE)
  const other = await start(state, '--stale-after', '1s').ended
  t.is(other.code, 0, other.err)
  sleeper.child.kill('SIGCONT')
  const { code, err } = await sleeper.ended
  t.is(code, 0, err)
  t.regex(err, /x\.txt: taken over by another process meanwhile/)
  t.deepEqual(readdirSync(join(state, 'in_process')), [])
  t.deepEqual(readdirSync(join(state, 'done')), ['x.txt'])
  const archive = await openArchive(join(state, 'input/x.bin'))
  t.is(archive.summary.orthoCount, 1)
  archive.close()
})

// A small file system is mounted by whoever may; elsewhere these are skipped, as nothing else makes a disk truly full.
const withMounts = canMount ? test : test.skip

withMounts('local mode on a full disk: what does not fit goes back, the rest is done', (t) => {
  const directory = temporary(t)
  writeFileSync(join(directory, 'large.txt'), manySquares(60))
  writeFileSync(join(directory, 'small.txt'), SQUARE)
  mkdirSync(join(directory, 'disk'))
  const { code, out, err } = shell(
    `unshare -rm sh -c 'mount -t tmpfs -o size=256k none "$D/disk" && mkdir -p "$D/disk/input" &&
      cp "$D/large.txt" "$D/small.txt" "$D/disk/input" && "$NODE" "$BIN" --no-merge --quiet --state-dir "$D/disk" >&2
      code=$?; cd "$D/disk"; cmp input/large.txt "$D/large.txt" && cmp done/small.txt "$D/small.txt"
      ls -A input in_process; exit $code'`,
    { D: directory },
  )
  t.is(code, 16, err)
  t.regex(err, /large\.txt: fold-worker: DISK_FULL/)
  t.is(out, 'in_process:\n\ninput:\nlarge.txt\nsmall.bin\n')
})

withMounts('a merge on a full disk leaves nothing, and its archives as they are', (t) => {
  const directory = temporary(t)
  for (const [name, text] of [
    ['a', manySquares(60)],
    ['b', manySquares(60).replaceAll(/\w+/g, '$&x')],
  ] as const) {
    writeFileSync(join(directory, `${name}.txt`), text)
    t.is(foldWorker(['search', `${name}.txt`, '--quiet'], { cwd: directory }).code, 0)
  }
  mkdirSync(join(directory, 'disk'))
  const { code, out, err } = shell(
    `cd "$D"; unshare -rm sh -c 'mount -t tmpfs -o size=256k none disk &&
      "$NODE" "$BIN" merge a.bin b.bin --quiet --out disk/m.bin >&2; code=$?; ls -A disk; exit $code'`,
    { D: directory },
  )
  t.is(code, 8, err)
  t.regex(err, /DISK_FULL/)
  t.is(out, '')
  for (const name of ['a.bin', 'b.bin'])
    t.is(foldWorker(['inspect', name, '--verify'], { cwd: directory }).code, 0)
})

withMounts('stage on a full disk leaves nothing', (t) => {
  const directory = temporary(t)
  writeFileSync(join(directory, 'long.txt'), `CHAPTER\n${'word '.repeat(1000)}\n`.repeat(100))
  mkdirSync(join(directory, 'disk'))
  const { code, out, err } = shell(
    `unshare -rm sh -c 'mount -t tmpfs -o size=128k none "$D/disk" &&
      "$NODE" "$BIN" stage "$D/long.txt" --delimiter CHAPTER --min-length 0 --to "$D/disk/input" >&2
      code=$?; ls -A "$D/disk/input"; exit $code'`,
    { D: directory },
  )
  t.is(code, 8, err)
  t.is(out, '')
})

test('stage takes a file much larger than its memory', (t) => {
  const directory = temporary(t)
  const file = openSync(join(directory, 'long.txt'), 'w')
  const chapter = `CHAPTER\n${'some words of a line\n'.repeat(400_000)}`
  for (let i = 0; i < 30; i += 1) writeSync(file, chapter)
  closeSync(file)
  const args = ['stage', 'long.txt', '--delimiter', 'CHAPTER', '--to', 'parts']
  const { code, err, peak } = foldWorker(args, { cwd: directory })
  t.is(code, 0, err)
  t.true(peak < 160 * 2 ** 20, `${peak / 2 ** 20} MiB`)
  t.is(readdirSync(join(directory, 'parts')).length, 30)
  t.is(shell('cat "$D"/parts/* | cmp - "$D/long.txt"', { D: directory }).code, 0)
})
