/** `merge`, limits and shards on the command line, with a pretended library that keeps account of texts. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Archive } from '../../src/archive.js'
import { run } from '../../src/cli.js'
import type { Library } from '../../src/commands/base.js'
import type { MergeOptions } from '../../src/merge-archives.js'
import type { ArchiveSummary } from '../../src/manifest.js'
import type { SearchOptions } from '../../src/search.js'
import { pretended, readArchive, writeArchive } from '../support/archives.js'
import { summary } from '../support/summaries.js'
import { temporary, world } from '../support/world.js'

function setUp(t: ExecutionContext) {
  const cwd = temporary(t)
  const at = (name: string) => join(cwd, name)
  const make = (name: string, text: string, changes: Partial<ArchiveSummary> = {}) =>
    writeArchive(at(name), [text], { input: { name: 'a', sha256: 'aa'.repeat(32), bytes: 1 }, ...changes })
  const options: MergeOptions[] = []
  const library = async (): Promise<Library> => ({
    search: () => Promise.reject(new Error('not to be called')),
    estimate: () => Promise.reject(new Error('not to be called')),
    openArchive: async (path) =>
      ({ summary: readArchive(path), close: () => undefined }) as unknown as Archive,
    mergeArchives: async (archives, given) => {
      options.push(given)
      return pretended.merge([...archives], given.out, new AbortController().signal)
    },
  })
  const merge = async (...args: string[]) => {
    const it = world({ args: ['merge', ...args] })
    return { code: await run(it, library), out: it.out, err: it.err }
  }
  return { at, make, merge, options }
}

const B = { input: { name: 'b', sha256: 'bb'.repeat(32), bytes: 1 } }
const OTHER_A = { input: { name: 'a', sha256: 'cc'.repeat(32), bytes: 1 } }

test('archives and directories of archives become one', async (t) => {
  const { at, make, merge, options } = setUp(t)
  make('a.bin', '1')
  mkdirSync(at('more'))
  make('more/b.bin', '2', B)
  make('more/same.bin', '1')
  const args = ['--out', at('all.bin'), '--memory', '256M', '--max-time', '10m']
  const { code, out, err } = await merge(at('a.bin'), at('more'), at('a.bin'), ...args)
  t.is(code, 0, err)
  t.deepEqual(readArchive(at('all.bin')).texts, ['1', '2'])
  t.regex(out, /2 archives merged/)
  t.like(options[0], { memory: 256 * 2 ** 20, maxTime: 600 })
})

test('different texts of one name are refused, kept apart, or mixed when asked', async (t) => {
  const { at, make, merge } = setUp(t)
  make('x.bin', '1')
  make('y.bin', '2', OTHER_A)
  const refused = await merge(at('x.bin'), at('y.bin'), '--out', at('all.bin'))
  t.is(refused.code, 19)
  t.regex(refused.err, /INPUTS_CONFLICT: different texts are called "a"/)
  t.false(existsSync(at('all.bin')))
  const apart = await merge(at('x.bin'), at('y.bin'), '--by-input', '--out', at('each'), '--json')
  t.is(apart.code, 0, apart.err)
  t.deepEqual(readdirSync(at('each')).sort(), ['a-aaaaaaaaaaaa.bin', 'a-cccccccccccc.bin'])
  t.regex(apart.err, /kept apart/)
  t.is(apart.out.trim().split('\n').length, 2)
  t.is((await merge(at('x.bin'), at('y.bin'), '--out', at('mixed.bin'), '--mix')).code, 0)
  t.deepEqual(readArchive(at('mixed.bin')).texts, ['1', '2'])
})

test('shards that are missing are named, and the result is incomplete', async (t) => {
  const { at, make, merge } = setUp(t)
  make('1.bin', '1', { complete: false, shards: ['1/3'] })
  make('3.bin', '3', { complete: false, shards: ['3/3'] })
  const { code, err } = await merge(at('1.bin'), at('3.bin'), '--out', at('all.bin'))
  t.is(code, 18)
  t.regex(err, /a: missing shards: 2\/3/)
  t.deepEqual(readArchive(at('all.bin')).texts, ['1', '3'])
})

test('archives of several texts are left out of --by-input, and named', async (t) => {
  const { at, make, merge } = setUp(t)
  make('a.bin', '1')
  make('m.bin', '2', { input: null })
  const { code, err } = await merge(at('a.bin'), at('m.bin'), '--by-input', '--out', at('each'))
  t.is(code, 21)
  t.regex(err, /m\.bin/)
  t.deepEqual(readdirSync(at('each')), ['a.bin'])
})

test('nothing is merged where something is in the way', async (t) => {
  const { at, make, merge, options } = setUp(t)
  make('a.bin', '1')
  make('b.bin', '2', B)
  mkdirSync(at('each/b.bin'), { recursive: true })
  t.is((await merge(at('a.bin'), at('b.bin'), '--by-input', '--out', at('each'))).code, 7)
  t.deepEqual(options, [])
})

test('a directory without archives is none; what is wrong with one is told', async (t) => {
  const { at, make, merge } = setUp(t)
  mkdirSync(at('empty'))
  t.is((await merge(at('empty'), '--out', at('x.bin'))).code, 11)
  make('newer.bin', '1', { formatVersion: 999 })
  t.is((await merge(at('newer.bin'), '--out', at('x.bin'))).code, 13)
})

for (const args of [
  [],
  ['a.bin'],
  ['--out', 'x'],
  ['a.bin', '--out', ''],
  ['a', '--out', 'x', '--mix', '--by-input'],
]) {
  test(`wrong usage of merge: ${JSON.stringify(args)}`, async (t) => {
    t.is((await setUp(t).merge(...args)).code, 2)
  })
}

async function search(args: string[], changes: Partial<ArchiveSummary> = {}) {
  const it = world({ args: ['search', 'a.txt', ...args] })
  let options: SearchOptions | undefined
  const library = {
    search: async (_input: unknown, given: SearchOptions) => {
      options = given
      return summary({ archive: given.out, ...changes })
    },
  }
  const code = await run(it, async () => library as unknown as Library)
  return { code, options, ...it }
}

test('search passes limits, shard and what to continue on', async (t) => {
  const args = [
    '--max-orthos',
    '10',
    '--max-time',
    '2h',
    '--max-disk',
    '1G',
    '--max-dims',
    '3',
    '--disk-reserve',
    '5G',
  ]
  const { code, options } = await search([...args, '--shard', '2/4', '--continue', 'x.bin'])
  t.is(code, 0)
  t.like(options, {
    out: 'a.shard-2-of-4.bin',
    maxOrthos: 10,
    maxTime: 7200,
    maxDisk: 2 ** 30,
    diskReserve: 5 * 2 ** 30,
    maxDims: 3,
    shard: { index: 2, count: 4 },
    continueFrom: 'x.bin',
  })
})

test('a search that a limit ended says so, how to go on, and in its exit code', async (t) => {
  const limits = [{ name: 'maxOrthos' as const, value: 1000 }]
  const { code, out, err } = await search([], { complete: false, limits })
  t.is(code, 18)
  t.regex(out, /incomplete: stopped after 1,000 orthos/)
  t.regex(err, /LIMIT_REACHED: .*fold-worker search --continue a\.bin --out/)
})

test('a finished shard is a success that says what it is', async (t) => {
  const { code, out } = await search(['--shard', '1/2'], { complete: false, shards: ['1/2'] })
  t.is(code, 0)
  t.regex(out, /shard 1\/2 of the text; missing: 2\/2/)
})

test('inspect draws the lineage', async (t) => {
  const it = world({ args: ['inspect', 'a.bin', '--lineage'] })
  const archive = { summary: summary({ lineage: '("a" "b")', input: null }), close: () => undefined }
  await run(it, async () => ({ openArchive: async () => archive }) as unknown as Library)
  t.regex(it.out, /lineage {5}merge of 2 archives, 2 texts\n├─ a\n└─ b\n/)
})
