/** The optimal ortho and estimates, by the built program. */
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Estimate } from '../../src/estimate.js'
import type { ArchiveSummary } from '../../src/manifest.js'
import { estimate, mergeArchives, openArchive, search } from '../../src/index.js'
import { SHARED, foldWorker, hasShared } from '../support/program.js'
import { SQUARE } from '../support/texts.js'
import { temporary } from '../support/world.js'

const withTexts = hasShared ? test : test.skip

function json<T = ArchiveSummary>(out: string): T {
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as T
}

const word = (x: number, y: number) => `w${'abcdefgh'[x]}${'ijklmnop'[y]}z`

/** Words of their own, in sentences that share none, so that nothing but what is woven in has orthos. */
function woven(lines: readonly string[]): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  const noise = Array.from({ length: 300 }, (_, i) => `n${letters[i % 26]}${letters[Math.floor(i / 26)]}x`)
  return [...lines, noise.join(' '), ...lines.toReversed()].join('. ')
}

withTexts('the optimum is that of the full search, and the K best are its best', (t) => {
  const cwd = temporary(t)
  const text = join(SHARED, 'texts/novel-16000.txt')
  const all = json(foldWorker(['search', text, '--out', 'all.bin', '--json'], { cwd }).out)
  for (const args of [[], ['--threads', '1'], ['--memory', '140M']]) {
    const { code, out, err } = foldWorker(
      ['search', text, '--out', `one-${args.join('')}.bin`, '--goal', 'optimal', '--json', ...args],
      { cwd },
    )
    t.is(code, 0, err)
    const one = json(out)
    t.deepEqual(one.optimal, all.optimal)
    t.like(one, {
      goal: 'optimal',
      complete: false,
      orthoCount: 1,
      proof: { top: 1, open: null, unranked: null },
    })
  }
  t.is(foldWorker(['search', text, '--goal', 'optimal', '--top', '50'], { cwd }).code, 0)
  const listed = (name: string) => foldWorker(['orthos', name], { cwd }).out.trim().split('\n')
  const best = listed('novel-16000.optimal.bin')
  t.is(best.length, 50)
  const every = new Set(listed('all.bin'))
  t.true(best.every((ortho) => every.has(ortho)))
  const verified = foldWorker(['inspect', 'novel-16000.optimal.bin', '--verify'], { cwd })
  t.is(verified.code, 0, verified.out)
  t.regex(verified.out, /goal +the 50 best orthos\n +proved: there is none better\n/)
  const drawn = readFileSync(join(cwd, 'novel-16000.optimal.bin', 'optimal.txt'), 'utf8')
  t.regex(drawn, /: the optimal ortho of the text\./)
})

test('an ortho that was woven in is found and proved', (t) => {
  const cwd = temporary(t)
  const axis = [0, 1, 2, 3, 4]
  const rows = axis.map((y) => axis.map((x) => word(x, y)).join(' '))
  const columns = axis.map((x) => axis.map((y) => word(x, y)).join(' '))
  writeFileSync(join(cwd, 'a.txt'), woven([...rows, ...columns]))
  const { code, out, err } = foldWorker(['search', 'a.txt', '--goal', 'optimal', '--json'], { cwd })
  t.is(code, 0, err)
  t.like(json(out), { optimal: { dims: [5, 5], volume: 16 }, limits: [] })
})

test('what contradicts the goal is refused, and a time limit keeps what there is', (t) => {
  const cwd = temporary(t)
  writeFileSync(join(cwd, 'a.txt'), SQUARE)
  for (const args of [
    ['--shard', '1/2'],
    ['--max-dims', '3'],
    ['--max-orthos', '3'],
  ]) {
    const { code, err } = foldWorker(['search', 'a.txt', '--goal', 'optimal', ...args], { cwd })
    t.is(code, 2)
    t.regex(err, /the goal is the optimum/)
  }
  t.deepEqual(readdirSync(cwd), ['a.txt'])
})

withTexts('merging the archives of two halves answers for the whole', async (t) => {
  const cwd = temporary(t)
  const text = readFileSync(join(SHARED, 'texts/novel-32000.txt'), 'utf8')
  const cut = text.indexOf('. ', 16_000) + 1
  const at = (name: string) => join(cwd, name)
  for (const [name, part] of Object.entries({ a: text.slice(0, cut), b: text.slice(cut) })) {
    await search({ text: part, name }, { out: at(`${name}.bin`), goal: 'optimal', top: 7 })
  }
  await search({ text: text.slice(cut), name: 'b' }, { out: at('b-all.bin') })
  const halves = `${text.slice(0, cut)}\n\n${text.slice(cut)}`
  const whole = await search({ text: halves, name: 'w' }, { out: at('w.bin'), goal: 'optimal', top: 7 })
  const merged = foldWorker(['merge', 'a.bin', 'b.bin', '--out', 'ab.bin', '--json'], { cwd })
  t.is(merged.code, 0, merged.err)
  const { contentDigest, optimal } = whole
  t.like(json(merged.out), { contentDigest, optimal, orthoCount: 7, goal: 'optimal', lineage: '("a" "b")' })
  const refused = foldWorker(['merge', 'a.bin', 'b-all.bin', '--out', 'mixed.bin'], { cwd })
  t.is(refused.code, 42)
  t.regex(refused.err, /GOALS_DIFFER.*with the goal optimal/)
  const mixed = foldWorker(
    ['merge', 'a.bin', 'b-all.bin', '--out', 'mixed.bin', '--goal', 'optimal', '--json'],
    { cwd },
  )
  t.is(mixed.code, 0, mixed.err)
  t.is(json(mixed.out).contentDigest, contentDigest)
  const one = await mergeArchives([at('a.bin'), at('b.bin')], { out: at('one.bin'), goal: 'optimal', top: 1 })
  t.is(one.orthoCount, 1)
  t.deepEqual(one.optimal, optimal)
  const opened = await openArchive(at('one.bin'))
  t.deepEqual((await opened.verify()).problems, [])
  opened.close()
})

test('local mode merges archives of one goal and leaves the others', (t) => {
  const cwd = temporary(t)
  mkdirSync(join(cwd, 'fold_state/input'), { recursive: true })
  const text = (name: string, contents: string) =>
    writeFileSync(join(cwd, 'fold_state/input', `${name}.txt`), contents)
  text('a', SQUARE)
  text('b', 'x y z. u v w. x u. y v. z w.')
  t.is(foldWorker([], { cwd }).code, 0)
  text('c', SQUARE)
  text('d', 'x y z k. u v w l. x u. y v. z w. k l.')
  const { code, err } = foldWorker(['--goal', 'optimal', '--top', '2'], { cwd })
  t.is(code, 0, err)
  const archives = readdirSync(join(cwd, 'fold_state/input')).map((name) => {
    const path = join(cwd, 'fold_state/input', name, 'manifest.json')
    return JSON.parse(readFileSync(path, 'utf8')) as ArchiveSummary
  })
  const goals = archives.map(({ goal, lineage, orthoCount }) => `${goal} ${lineage} ${orthoCount}`).sort()
  t.is(goals.length, 2)
  t.regex(goals[0] ?? '', /^all \("a" "b"\)/)
  t.is(goals[1], 'optimal ("c" "d") 2')
  // With everything done, another run has nothing to do.
  cpSync(join(cwd, 'fold_state'), join(cwd, 'again'), { recursive: true })
  t.is(foldWorker(['--state-dir', 'again'], { cwd }).code, 0)
  t.is(readdirSync(join(cwd, 'again/input')).length, 2)
})

withTexts('an estimate of what can be counted is the count, and of a novel it is near', async (t) => {
  const { code, out, err } = foldWorker(['estimate', join(SHARED, 'texts/novel-16000.txt'), '--json'])
  t.is(code, 0, err)
  t.like(json<Estimate>(out), { exact: true, wide: false, orthos: { low: 5633, likely: 5633, high: 5633 } })
  const path = join(SHARED, 'texts/novel-64000.txt')
  const [one, same, other] = await Promise.all(
    [1, 1, 2].map((seed, i) => estimate({ path }, { probe: false, seed, threads: 1 + i })),
  )
  t.deepEqual(one?.orthos, same?.orthos)
  t.notDeepEqual(one?.orthos, other?.orthos)
  t.is(one?.seconds, null)
  const { low = 0, high = 0 } = one?.orthos ?? {}
  t.true(low > 77_881_309 / 8 && high < 77_881_309 * 8, `${low} to ${high}`)
})
