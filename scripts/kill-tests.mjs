// Kills the program with SIGKILL at random moments of a search, of a merge, of a local run and of a cloud worker, lets it start again until
// it is done, and compares the digest of what comes out with that of an undisturbed search.
//
// Long merges are killed soon after each of their checkpoints, and must not do again what they had done: one that does nothing but copy,
// and one of shards that overlap, which looks up every ortho. These take five minutes and 6 GB of disk; Linux only, as the bytes that
// a process has written are counted.
//
// node scripts/kill-tests.mjs [--kills 200] [--only search,merge,local,worker,long] [--bytes 32000] [--long-bytes 72000] [--looked-up-bytes 66000]
//   [--seed N]
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  check,
  manifest,
  onlyArchive,
  pieces,
  randomFrom,
  run,
  say,
  start,
  together,
} from './lib/program.mjs'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    only: { type: 'string', default: 'search,merge,local,worker,long' },
    bytes: { type: 'string', default: '32000' },
    'long-bytes': { type: 'string', default: '72000' },
    'looked-up-bytes': { type: 'string', default: '66000' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
})
const seed = Number(values.seed)
const random = randomFrom(seed)
const wanted = Math.ceil(Number(values.kills))
const bytes = Number(values.bytes)
const COMMON = ['--threads', '2', '--memory', '256M', '--quiet', '--json']

const directory = mkdtempSync(join(tmpdir(), 'fold-worker-kills-'))
const at = (name) => join(directory, name)

/**
 * Starts the command again and again, killing it, until it ends by itself or was killed with its archive in place;
 * resolves to the number of kills.
 */
async function untilDone(args, out, longest, codes) {
  for (let kills = 0; ; kills += 1) {
    const { child, ended } = start(args)
    const timer = setTimeout(() => child.kill('SIGKILL'), longest * random())
    const { code, signal, err } = await ended
    clearTimeout(timer)
    if (signal === 'SIGKILL' && existsSync(out)) return kills + 1
    if (signal === 'SIGKILL') continue
    check(codes.includes(code), `ended with ${code ?? signal}: ${err}`)
    return kills
  }
}

/** How long a command takes undisturbed, in milliseconds. */
function time(args) {
  const before = performance.now()
  run(args)
  return performance.now() - before
}

async function repeatedly(name, kills, round) {
  let made = 0
  let rounds = 0
  for (; made < kills; rounds += 1) made += await round(rounds)
  say(`${name}: ${made} kills, ${rounds} times to the end, always the same digest`)
}

async function killSearch(kills, text, digest) {
  const longest = 1.3 * time(['search', text, '--out', at('timed.bin'), ...COMMON])
  await repeatedly('search', kills, async (round) => {
    const out = at(`search-${round}.bin`)
    const made = await untilDone(['search', text, '--out', out, ...COMMON], out, longest, [0])
    check(manifest(out).contentDigest === digest, 'search: the digest differs')
    rmSync(out, { recursive: true })
    const left = readdirSync(directory).filter((entry) => entry.includes(`search-${round}.bin`))
    check(left.length === 0, `search left ${left.join(', ')}`)
    return made
  })
}

async function killMerge(kills, texts, digest) {
  const halves = [texts.slice(0, texts.length / 2), texts.slice(texts.length / 2)].map((half, i) => {
    writeFileSync(at(`half-${i}.txt`), together(half))
    run(['search', at(`half-${i}.txt`), '--out', at(`half-${i}.bin`), ...COMMON])
    return at(`half-${i}.bin`)
  })
  const longest = 1.3 * time(['merge', ...halves, '--out', at('timed-merge.bin'), ...COMMON])
  await repeatedly('merge', kills, async (round) => {
    const out = at(`merge-${round}.bin`)
    const made = await untilDone(['merge', ...halves, '--out', out, ...COMMON], out, longest, [0])
    check(manifest(out).contentDigest === digest, 'merge: the digest differs')
    rmSync(out, { recursive: true })
    const left = readdirSync(directory).filter((entry) => entry.includes(`merge-${round}.bin`))
    check(left.length === 0, `merge left ${left.join(', ')}`)
    return made
  })
}

/** Every word becomes one that no other text has. */
function inOtherWords(text, suffix) {
  return text.replace(/\p{L}[\p{L}\p{M}'\u2019]*/gu, `$&${suffix}`)
}

/** The archive of a text, searched here. */
function searched(name, contents, ...options) {
  writeFileSync(at(`${name}.txt`), contents)
  run(['search', at(`${name}.txt`), '--out', at(`${name}.bin`), '--disk-reserve', '0', ...options, ...COMMON])
  return at(`${name}.bin`)
}

async function killLongMerges() {
  const [text] = pieces(1, Number(values['long-bytes']))
  const copies = ['', 'qa', 'qb', 'qc', 'qd', 'qe'].map((suffix, i) =>
    searched(`copy-${i}`, inOtherWords(text, suffix)),
  )
  await killAtCheckpoints('merge that copies', copies, 0)
  for (const copy of copies) rmSync(copy, { recursive: true })
  const [shorter] = pieces(1, Number(values['looked-up-bytes']))
  const parts = ['1/2', '1/3'].map((part, i) => searched(`shard-${i}`, shorter, '--shard', part))
  await killAtCheckpoints('merge that looks up', parts, 18)
  for (const part of parts) rmSync(part, { recursive: true, force: true })
}

/** Starts a merge again and again, killing it when it has made a checkpoint of something new, and counts what all runs write. */
async function killAtCheckpoints(name, archives, code) {
  const out = at('long.bin')
  const args = ['merge', ...archives, '--out', out, ...COMMON]
  const whole = await watched(start(args), () => false)
  check(whole.code === code, `${name} ended with ${whole.code}: ${whole.err}`)
  const { contentDigest } = manifest(out)
  rmSync(out, { recursive: true })
  let [kills, written] = [0, 0]
  for (;;) {
    // The first checkpoint of a run that goes on says what was there already.
    const made = await watched(start(args), (checkpoints) => checkpoints > Math.min(kills, 1))
    written += made.written
    if (made.signal !== 'SIGKILL') {
      check(made.code === code, `${name} ended with ${made.code}: ${made.err}`)
      break
    }
    kills += 1
    check(kills < 100, `${name} does not come to its end`)
  }
  check(kills > 0, `${name} is too short to be killed: it made no checkpoint`)
  check(manifest(out).contentDigest === contentDigest, `${name}: the digest differs`)
  const share = written / whole.written
  check(share < 1 + kills / 3, `${name}: with ${kills} kills ${share.toFixed(2)} times as much was written`)
  say(
    `${name}: ${kills} kills, ${share.toFixed(2)} times the ${(whole.written / 1e6).toFixed(0)} MB of an undisturbed one written`,
  )
  rmSync(out, { recursive: true })
}

/** Waits for a process, which is killed when it has made so many different checkpoints as `enough` says; counts what it writes. */
async function watched({ child, ended }, enough) {
  const seen = new Set()
  let written = 0
  for (;;) {
    try {
      written = Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))?.[1] ?? written)
      const own = readdirSync(directory).find((entry) => entry.startsWith(`.long.bin.tmp-${child.pid}-`))
      if (own) seen.add(readFileSync(join(directory, own, 'checkpoint.bin'), 'latin1'))
    } catch {
      // There is no checkpoint yet, or no process any more.
    }
    if (enough(seen.size)) {
      await sleep(300 * random())
      child.kill('SIGKILL')
    }
    const end = await Promise.race([ended, sleep(20)])
    if (end) return { ...end, written }
  }
}

async function killLocal(kills, texts, digest) {
  await repeatedly('local', kills, async (round) => {
    const state = at(`state-${round}`)
    mkdirSync(join(state, 'input'), { recursive: true })
    for (const [i, text] of texts.entries()) writeFileSync(join(state, 'input', `t${i}.txt`), text)
    const args = ['--state-dir', state, '--stale-after', '1s', ...COMMON]
    // Two at a time; one of them is killed after the other, and a third takes its place.
    let made = 0
    const most = Math.min(8, kills)
    let running = [start(args), start(args)]
    while (made < most) {
      await sleep(100 + 900 * random())
      const [victim, ...others] = running
      const over = victim.child.exitCode !== null
      if (!over) made += Number(victim.child.kill('SIGKILL'))
      await victim.ended
      if (over) break
      running = [...others, start(args)]
    }
    for (const { ended } of running) {
      const { code, err } = await ended
      check(code === 0, `local ended with ${code}: ${err}`)
    }
    run(args)
    check(manifest(onlyArchive(join(state, 'input'))).contentDigest === digest, 'local: the digest differs')
    check(readdirSync(join(state, 'in_process')).length === 0, 'in_process/ is not empty')
    const names = texts.map((_, i) => `t${i}.txt`).sort()
    check(
      readdirSync(join(state, 'done')).sort().join() === names.join(),
      'done/ does not hold each text once',
    )
    rmSync(state, { recursive: true })
    return made
  })
}

/** The worker has two inputs and directories in the place of buckets; killed, it is started again on the same disk. */
async function killWorker(kills, texts, digest) {
  const spaces = at('spaces')
  const archives = join(spaces, 'fold-archives')
  for (const path of [join(spaces, 'fold-input'), archives]) mkdirSync(path, { recursive: true })
  const half = texts.length / 2
  for (const [i, part] of [texts.slice(0, half), texts.slice(half)].entries()) {
    writeFileSync(join(spaces, 'fold-input', `${i}.txt`), together(part))
  }
  const state = at('worker-state')
  const env = {
    DO_SPACES_ENDPOINT: `file://${spaces}`,
    INPUT_FILE: '["0.txt","1.txt"]',
    LOCAL_STATE_DIR: state,
    FOLD_THREADS: '2',
    FOLD_MEMORY: '256M',
  }
  const worker = () => start(['--mode', 'cloud-worker'], { env })
  const before = performance.now()
  check((await worker().ended).code === 0, 'the worker does not do its work')
  const longest = 1.2 * (performance.now() - before)
  await repeatedly('worker', kills, async () => {
    for (const name of readdirSync(archives)) rmSync(join(archives, name))
    for (let made = 0; ; made += 1) {
      const { child, ended } = worker()
      const timer = setTimeout(() => child.kill('SIGKILL'), longest * random())
      const { code, signal, err, out } = await ended
      clearTimeout(timer)
      if (signal === 'SIGKILL') continue
      check(code === 0, `the worker ended with ${code ?? signal}: ${err}${out}`)
      const left = ['input', 'in_process'].flatMap((name) => readdirSync(join(state, name)))
      check(left.length === 0, `the worker left ${left.join(', ')}`)
      const strange = readdirSync(archives).filter((name) => !/^[01]_\d+\.tar\.zst$/.test(name))
      // A kill in the moment of storing may leave a copy under a hidden name, which nobody lists.
      check(
        strange.every((name) => name.startsWith('.tmp-')),
        `in the bucket are ${strange.join(', ')}`,
      )
      run(['merge', `file://${archives}/`, '--out', at('united.bin'), ...COMMON])
      check(manifest(at('united.bin')).contentDigest === digest, 'worker: the digest differs')
      rmSync(at('united.bin'), { recursive: true })
      return made
    }
  })
}

try {
  say(`seed ${seed}`)
  const only = values.only.split(',')
  const texts = pieces(16, bytes / 16)
  const text = at('text.txt')
  writeFileSync(text, together(texts))
  run(['search', text, '--out', at('expected.bin'), ...COMMON])
  const digest = manifest(at('expected.bin')).contentDigest
  const share = Math.ceil(wanted / only.filter((one) => one !== 'long').length)
  if (only.includes('search')) await killSearch(share, text, digest)
  if (only.includes('merge')) await killMerge(share, texts, digest)
  if (only.includes('local')) await killLocal(share, texts, digest)
  if (only.includes('worker')) await killWorker(share, texts, digest)
  if (only.includes('long') && process.platform === 'linux') await killLongMerges()
  check(existsSync(text), 'the text is gone')
} finally {
  rmSync(directory, { recursive: true, force: true })
}
