/** The merge command and the merging of local mode on the built program. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { ArchiveSummary } from '../../src/manifest.js'
import { foldWorker } from '../support/program.js'
import { SQUARE, manySquares } from '../support/texts.js'
import { temporary } from '../support/world.js'

const TEXTS = [SQUARE, manySquares(6), 'b d e. a c e. d e f']

/** Searches texts to `0.bin`, `1.bin`, ... and all of them together to `all.bin`; resolves to the last one's summary. */
function searched(t: ExecutionContext, texts: readonly string[]): { cwd: string; all: ArchiveSummary } {
  const cwd = temporary(t)
  let last = ''
  for (const [name, text] of [...texts.entries(), ['all', texts.join('\n\n')] as const]) {
    writeFileSync(join(cwd, `${name}.txt`), text)
    const { code, out, err } = foldWorker(['search', `${name}.txt`, '--json'], { cwd })
    t.is(code, 0, err)
    last = out
  }
  return { cwd, all: JSON.parse(last) as ArchiveSummary }
}

test('a merge is what a search of all texts together finds, and sound', (t) => {
  const { cwd, all } = searched(t, TEXTS)
  const { code, out, err } = foldWorker(
    ['merge', '2.bin', '0.bin', '1.bin', '0.bin', '--out', 'm.bin', '--json'],
    { cwd },
  )
  t.is(code, 0, err)
  const { contentDigest, shapes, optimal, complete } = all
  t.like(JSON.parse(out), { contentDigest, shapes, optimal, complete, lineage: '("0" "1" "2")' })
  t.is(foldWorker(['inspect', 'm.bin', '--verify'], { cwd }).code, 0)
  t.regex(foldWorker(['inspect', 'm.bin'], { cwd }).out, /merge of 3 archives, 3 texts/)
})

test('a merge that a limit ended says how to go on, which needs no other archive', (t) => {
  const { cwd, all } = searched(t, TEXTS)
  const most = String(all.orthoCount - 1)
  const { code, err } = foldWorker(
    ['merge', '0.bin', '1.bin', '2.bin', '--out', 'part.bin', '--max-orthos', most],
    { cwd },
  )
  t.is(code, 18)
  t.regex(err, /fold-worker search --continue part\.bin --out ANOTHER\.bin/)
  for (const name of ['0.bin', '1.bin', '2.bin']) rmSync(join(cwd, name), { recursive: true })
  const continued = foldWorker(['search', '--continue', 'part.bin', '--out', 'rest.bin', '--json'], { cwd })
  t.is(continued.code, 0, continued.err)
  const { contentDigest, shapes, optimal } = all
  const expected = { contentDigest, shapes, optimal, complete: true, lineage: '("0" "1" "2")', input: null }
  t.like(JSON.parse(continued.out), expected)
  t.is(foldWorker(['inspect', 'rest.bin', '--verify'], { cwd }).code, 0)
})

test('one archive for each input, and different texts of one name apart', (t) => {
  const { cwd } = searched(t, TEXTS)
  mkdirSync(join(cwd, 'more'))
  writeFileSync(join(cwd, 'more/0.txt'), 'another text')
  t.is(foldWorker(['search', 'more/0.txt', '--out', 'more/0.bin'], { cwd }).code, 0)
  const args = ['merge', '0.bin', '1.bin', 'more', '1.bin']
  t.is(foldWorker([...args, '--out', 'x.bin'], { cwd }).code, 19)
  const { code, err } = foldWorker([...args, '--by-input', '--out', 'each'], { cwd })
  t.is(code, 0, err)
  const names = readdirSync(join(cwd, 'each'))
  t.is(names.filter((name) => /^0-[0-9a-f]{12}\.bin$/.test(name)).length, 2)
  t.true(names.includes('1.bin'))
})

test('an archive of several texts has no input of its own: it is named, left, and the others are merged', (t) => {
  const { cwd } = searched(t, TEXTS)
  t.is(foldWorker(['merge', '0.bin', '1.bin', '--out', 'both.bin'], { cwd }).code, 0)
  const { code, err } = foldWorker(['merge', 'both.bin', '2.bin', '--by-input', '--out', 'each'], { cwd })
  t.is(code, 21)
  t.regex(err, /INPUTS_LEFT.*both\.bin/s)
  t.deepEqual(readdirSync(join(cwd, 'each')), ['2.bin'])
  t.is(foldWorker(['inspect', 'both.bin', '--verify'], { cwd }).code, 0)
})

test('local mode names an archive that it cannot read, leaves it where it is and does the rest', (t) => {
  const { cwd } = searched(t, TEXTS)
  mkdirSync(join(cwd, 'state/input'), { recursive: true })
  renameSync(join(cwd, '0.bin'), join(cwd, 'state/input/0.bin'))
  writeFileSync(join(cwd, 'state/input/0.bin/manifest.json'), '{')
  for (const name of ['1', '2'])
    writeFileSync(join(cwd, `state/input/${name}.txt`), TEXTS[Number(name)] ?? '')
  const { code, out, err } = foldWorker(['--state-dir', 'state', '--json', '--quiet'], { cwd })
  t.is(code, 21, err)
  t.regex(err, /0\.bin/)
  t.like(JSON.parse(out.trim().split('\n').at(-1) ?? ''), { event: 'result', last: true })
  const left = readdirSync(join(cwd, 'state/input'))
  t.is(left.length, 2)
  t.true(left.includes('0.bin'))
  t.deepEqual(readdirSync(join(cwd, 'state/in_process')), [])
})

test('local mode leaves one archive of all its texts', (t) => {
  const { cwd, all } = searched(t, TEXTS)
  mkdirSync(join(cwd, 'state/input'), { recursive: true })
  for (const [i, text] of TEXTS.entries()) writeFileSync(join(cwd, `state/input/${i}.txt`), text)
  const { code, out, err } = foldWorker(['--state-dir', 'state', '--json', '--quiet'], { cwd })
  t.is(code, 0, err)
  const last = out.trim().split('\n').at(-1) ?? ''
  t.like(JSON.parse(last), {
    event: 'result',
    last: true,
    contentDigest: all.contentDigest,
    optimal: all.optimal,
  })
  t.is(readdirSync(join(cwd, 'state/input')).length, 1)
})

test('eight processes, a hundred texts, three of the processes killed', async (t) => {
  const child = spawn(process.execPath, ['scripts/many-processes.mjs'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  t.is(code, 0, said)
  t.log(said.trim())
})
