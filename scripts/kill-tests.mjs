// Kills the program with SIGKILL at random moments of a search, of a merge, of a local run and of a cloud worker, lets it start again until
// it is done, and compares the digest of what comes out with that of an undisturbed search.
//
// node scripts/kill-tests.mjs [--kills 200] [--only search,merge,local,worker] [--bytes 32000] [--seed N]
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
    only: { type: 'string', default: 'search,merge,local,worker' },
    bytes: { type: 'string', default: '32000' },
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
  const share = Math.ceil(wanted / only.length)
  if (only.includes('search')) await killSearch(share, text, digest)
  if (only.includes('merge')) await killMerge(share, texts, digest)
  if (only.includes('local')) await killLocal(share, texts, digest)
  if (only.includes('worker')) await killWorker(share, texts, digest)
  check(existsSync(text), 'the text is gone')
} finally {
  rmSync(directory, { recursive: true, force: true })
}
