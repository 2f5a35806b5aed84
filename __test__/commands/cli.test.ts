/** The command line in this process, with a pretended library behind it. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Archive, OrthoFilter } from '../../src/archive.js'
import { run } from '../../src/cli.js'
import type { EstimateOptions } from '../../src/estimate.js'
import type { Library } from '../../src/commands/base.js'
import type { MergeOptions } from '../../src/merge-archives.js'
import { defaultOut } from '../../src/commands/search.js'
import { FoldError } from '../../src/errors.js'
import type { SearchInput, SearchOptions } from '../../src/search.js'
import { EMPTY, expected, summary } from '../support/summaries.js'
import { systemError, temporary, world, type World } from '../support/world.js'

interface Calls {
  searched: { input: SearchInput | undefined; options: SearchOptions }[]
  merged: { archives: readonly string[]; options: MergeOptions }[]
  estimated: { input: SearchInput; options: EstimateOptions }[]
  listed: OrthoFilter[]
  verified: number
  problems: { file: string | null; message: string }[]
  closed: number
}

function library(changes: Partial<Library> = {}): { library: () => Promise<Library>; calls: Calls } {
  const calls: Calls = {
    searched: [],
    merged: [],
    estimated: [],
    listed: [],
    verified: 0,
    problems: [],
    closed: 0,
  }
  const archive = {
    summary: summary(),
    async *text(filter: OrthoFilter) {
      calls.listed.push(filter)
      yield Buffer.from('2x2\ta b c d\n')
    },
    async *orthos(filter: OrthoFilter) {
      calls.listed.push(filter)
      yield { dims: [2, 2], words: ['a', 'b', 'c', 'd'] }
    },
    verify: async () => {
      calls.verified += 1
      return { files: 5, bytes: 100, orthos: 1234, problems: calls.problems }
    },
    close: () => (calls.closed += 1),
  }
  return {
    calls,
    library: async () => ({
      search: async (input, options) => {
        calls.searched.push({ input, options })
        return summary({ archive: options.out })
      },
      estimate: async (input, options = {}) => {
        calls.estimated.push({ input, options })
        return expected()
      },
      openArchive: async () => archive as unknown as Archive,
      mergeArchives: async (archives, options) => {
        calls.merged.push({ archives, options })
        return summary({ archive: options.out })
      },
      ...changes,
    }),
  }
}

/** Runs a command line; the code is what the process would exit with. */
async function execute(it: World, changes: Partial<Library> = {}) {
  const pretended = library(changes)
  const code = await run(it, pretended.library)
  return { code, calls: pretended.calls }
}

test('help names every command and gives examples, without the addon', async (t) => {
  const it = world({ args: ['--help'] })
  t.is(await run(it, () => Promise.reject(new Error('not to be loaded'))), 0)
  for (const command of ['search', 'orthos', 'inspect']) t.regex(it.out, new RegExp(`fold-worker ${command}`))
  for (const command of ['search', 'orthos', 'inspect']) {
    const own = world({ args: [command, '--help'] })
    t.is(await run(own, () => Promise.reject(new Error('not to be loaded'))), 0)
    t.regex(own.out, /Examples/)
    t.notRegex(own.out, /#0/)
  }
})

for (const args of [
  ['nonsense'],
  ['search'],
  ['search', 'a', 'b'],
  ['search', 'a', '--bogus'],
  ['search', 'a', '--memory', 'much'],
  ['search', 'a', '--threads', '0'],
  ['search', 'a', '--threads', '1.5'],
  ['search', 'a', '--out', ''],
  ['search', 'a', '--goal', 'best'],
  ['search', 'a', '--top', '3'],
  ['search', 'a', '--goal', 'all', '--top', '3'],
  ['search', 'a', '--goal', 'optimal', '--top', '0'],
  ['estimate'],
  ['estimate', 'a', '--seed', 'x'],
  ['orthos', 'a', '--shape', '2'],
  ['orthos', 'a', '--limit', '-1'],
  ['inspect'],
]) {
  test(`wrong usage: ${args.join(' ')}`, async (t) => {
    const it = world({ args })
    const { code, calls } = await execute(it)
    t.is(code, 2)
    t.regex(it.err, /INVALID_ARGUMENT/)
    t.is(it.out, '')
    t.deepEqual(calls.searched, [])
  })
}

test('a word that is no command is answered with those that there are', async (t) => {
  const it = world({ args: ['chapter 1.txt', '--json'] })
  t.is((await execute(it)).code, 2)
  t.regex(it.err, /there is no command "chapter 1.txt"; there are search, .*completion/)
  t.regex(it.err, /fold-worker search "chapter 1.txt"/)
})

test('another mode is refused with those that there are', async (t) => {
  const it = world({ args: ['--mode', 'other'] })
  t.is((await execute(it)).code, 2)
  t.regex(it.err, /--mode must be one of: local, cloud-worker; not "other"/)
})

test('search passes its options on and tells people', async (t) => {
  const it = world({ args: ['search', 'dir/a.txt', '--memory', '256M', '--threads', '2'] })
  const { code, calls } = await execute(it)
  t.is(code, 0)
  t.like(calls.searched[0], {
    input: { path: 'dir/a.txt' },
    options: { out: 'a.bin', memory: 256 * 2 ** 20, threads: 2 },
  })
  t.regex(it.out, /optimal ortho: 2x3/)
})

test('search --json prints one object', async (t) => {
  const it = world({ args: ['search', 'a.txt', '--json', '--out', 'x.bin'] })
  await execute(it)
  t.is(it.out.split('\n').length, 2)
  t.like(JSON.parse(it.out), {
    orthoCount: 1234,
    shapes: { '2x2': 1200 },
    optimal: { dims: [2, 3], volume: 2, fullness: 6 },
    complete: true,
    contentDigest: 'digest',
    archive: 'x.bin',
  })
})

test('search - reads standard input', async (t) => {
  const it = world({ args: ['search', '-'], stdin: 'a text' })
  const { calls } = await execute(it)
  const [call] = calls.searched
  t.is(call?.options.out, 'stdin.bin')
  t.true(call?.input && 'text' in call.input)
  if (call?.input && 'text' in call.input) t.is(Buffer.from(call.input.text).toString(), 'a text')
})

test('a text without any ortho is a success that says so', async (t) => {
  const it = world({ args: ['search', 'a.txt'] })
  t.is((await execute(it, { search: async () => EMPTY })).code, 0)
  t.regex(it.out, /has no ortho/)
})

test('the default archive has the name of the text, here', (t) => {
  t.is(defaultOut('/x/y/a.txt'), 'a.bin')
  t.is(defaultOut('a.b.TXT'), 'a.b.bin')
  t.is(defaultOut('README'), 'README.bin')
  t.is(defaultOut('-'), 'stdin.bin')
})

test('an error is one line with its code, and its causes below', async (t) => {
  const it = world({ args: ['search', 'a.txt'] })
  const failure = new FoldError('DISK_FULL', 'writing a.bin failed', { cause: new Error('no space') })
  t.is((await execute(it, { search: () => Promise.reject(failure) })).code, 8)
  t.is(it.err, 'fold-worker: DISK_FULL: writing a.bin failed\n  because: no space\n')
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} stops a search; a second one ends the process at once`, async (t) => {
    const it = world({ args: ['search', 'a.txt'] })
    const result = await execute(it, {
      search: (_input, { signal: stop }) =>
        new Promise((_resolve, reject) => {
          stop?.addEventListener('abort', () => {
            it.send(signal)
            reject(stop.reason as Error)
          })
          it.send(signal)
        }),
    })
    t.is(result.code, code)
    t.is(it.exited, code)
    t.regex(it.err, /nothing was left half-written/)
  })
}

test('orthos passes its filter on', async (t) => {
  const it = world({ args: ['orthos', 'a.bin', '--shape', '3x2', '--word', 'Whale', '--limit', '5'] })
  const { code, calls } = await execute(it)
  t.is(code, 0)
  t.like(calls.listed[0], { shape: [2, 3], word: 'whale', limit: 5 })
  t.is(it.out, '2x2\ta b c d\n')
  t.is(calls.closed, 1)
})

test('orthos --json prints an object a line', async (t) => {
  const it = world({ args: ['orthos', 'a.bin', '--json'] })
  await execute(it)
  t.is(it.out, '{"dims":[2,2],"words":["a","b","c","d"]}\n')
})

test('a reader that has gone is no failure', async (t) => {
  const it = world({ args: ['orthos', 'a.bin'] })
  const closed = { ...it.stdout, write: () => Promise.reject(systemError('EPIPE')) }
  const { code, calls } = await execute({ ...it, stdout: closed } as World)
  t.is(code, 0)
  t.is(it.err, '')
  t.is(calls.closed, 1)
})

test('inspect verifies when asked', async (t) => {
  const plain = world({ args: ['inspect', 'a.bin'] })
  t.is((await execute(plain)).calls.verified, 0)
  t.regex(plain.out, /lineage/)
  const checked = world({ args: ['inspect', 'a.bin', '--verify', '--json'] })
  await execute(checked)
  t.like(JSON.parse(checked.out), {
    orthoCount: 1234,
    archive: 'a.bin',
    verified: { files: 5, orthos: 1234 },
  })
})

test('inspect --verify tells all problems and fails', async (t) => {
  const it = world({ args: ['inspect', 'a.bin', '--verify'] })
  const pretended = library()
  pretended.calls.problems.push({ file: 'results/2x2', message: 'cut short' }, { file: null, message: 'odd' })
  t.is(await run(it, pretended.library), 12)
  t.regex(it.out, /found 2 problems:\n {2}results\/2x2: cut short\n {2}odd\n/)
  t.regex(it.err, /DAMAGED/)
})

const writeArchive: Library['search'] = async (_input, { out }) => {
  mkdirSync(out)
  return summary({ archive: out })
}

test('local mode takes the state directory from the option, then the environment', async (t) => {
  for (const [args, env] of [
    [(path: string) => ['--state-dir', path], () => ({ LOCAL_STATE_DIR: '/nonexistent' })],
    [() => ['--mode=local'], (path: string) => ({ LOCAL_STATE_DIR: path })],
  ] as const) {
    const path = temporary(t)
    mkdirSync(join(path, 'input'))
    writeFileSync(join(path, 'input/a.txt'), 'text')
    const it = world({ args: args(path), env: env(path) })
    t.is((await execute(it, { search: writeArchive })).code, 0)
    t.deepEqual(readdirSync(join(path, 'input')), ['a.bin'])
    t.regex(it.out, /optimal ortho: 2x3/)
  }
})

test('local mode says in its exit code that a text failed', async (t) => {
  const path = temporary(t)
  mkdirSync(join(path, 'input'))
  writeFileSync(join(path, 'input/a.txt'), 'text')
  const it = world({ args: ['--state-dir', path] })
  const failure = new FoldError('INPUT_NOT_UTF8', 'a.txt is not UTF-8 at byte 3')
  t.is((await execute(it, { search: () => Promise.reject(failure) })).code, 16)
  t.regex(it.err, /a\.txt: fold-worker: INPUT_NOT_UTF8/)
  t.deepEqual(readdirSync(join(path, 'input')), ['a.txt'])
})
