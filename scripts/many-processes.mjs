// Eight processes on one state directory with 100 texts, some of them killed with SIGKILL: each text is searched once,
// one archive is left, and it holds what a search of all the texts together finds.
//
// node scripts/many-processes.mjs [--texts 100] [--processes 8] [--killed 3] [--seed N]
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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
    texts: { type: 'string', default: '100' },
    processes: { type: 'string', default: '8' },
    killed: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
})
const [texts, processes, killed, seed] = ['texts', 'processes', 'killed', 'seed'].map((name) =>
  Number(values[name]),
)
const random = randomFrom(seed)
say(`seed ${seed}`)

const directory = mkdtempSync(join(tmpdir(), 'fold-worker-many-'))
try {
  const state = join(directory, 'state')
  const input = join(state, 'input')
  mkdirSync(input, { recursive: true })
  const contents = pieces(texts, 250)
  const names = contents.map((_, i) => `text ${String(i + 1).padStart(4, '0')}.txt`)
  for (const [i, text] of contents.entries()) writeFileSync(join(input, names[i]), text)
  const all = join(directory, 'all.txt')
  writeFileSync(all, together(contents))
  const expected = JSON.parse(
    run(['search', all, '--out', join(directory, 'all.bin'), '--json', '--threads', '1']),
  )

  const args = [
    '--state-dir',
    state,
    '--stale-after',
    '1s',
    '--json',
    '--quiet',
    '--threads',
    '1',
    '--memory',
    '192M',
  ]
  const started = performance.now()
  const running = Array.from({ length: processes }, () => start(args))
  let kills = 0
  for (const { child } of running.slice(0, killed)) {
    await sleep(200 + 800 * random())
    if (child.exitCode === null) kills += Number(child.kill('SIGKILL'))
  }
  const ended = await Promise.all(running.map(({ ended: end }) => end))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)

  for (const { code, signal, err } of ended) {
    check(signal === 'SIGKILL' || code === 0, `a process ended with ${code ?? signal}: ${err}`)
  }
  const events = ended.flatMap(({ out }) => {
    // A killed process may have been killed within a line.
    const lines = out.split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line))
  })
  const searched = events.filter(({ event }) => event === 'searched').map(({ input: { name } }) => name)
  check(new Set(searched).size === searched.length, `searched twice: ${searched.sort().join(', ')}`)
  const done = readdirSync(join(state, 'done')).sort()
  check(done.join() === names.join(), `done/ holds ${done.join()}`)
  for (const [i, name] of names.entries()) {
    check(readFileSync(join(state, 'done', name), 'utf8') === contents[i], `${name} was changed`)
  }
  check(readdirSync(join(state, 'in_process')).length === 0, 'in_process/ is not empty')
  const archive = onlyArchive(input)
  check(manifest(archive).contentDigest === expected.contentDigest, 'the digest differs')
  run(['inspect', archive, '--verify', '--quiet'])
  say(
    `${texts} texts, ${processes} processes, ${kills} killed: ${searched.length} told as searched, none twice; one archive ` +
      `with ${expected.orthoCount} orthos and the digest of a search of all; ${seconds} s`,
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}
