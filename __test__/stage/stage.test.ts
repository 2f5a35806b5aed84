import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { run } from '../../src/cli.js'
import { systemError, temporary, world, type WorldOptions } from '../support/world.js'

const NOVEL = `Title\n\n${[1, 2, 3].map((n) => `CHAPTER ${n}. Of ü\n${'word '.repeat(10 * n)}\n`).join('')}`

async function stage(t: ExecutionContext, args: string[], options: WorldOptions = {}, text = NOVEL) {
  const cwd = temporary(t)
  const file = join(cwd, 'a novel.txt')
  writeFileSync(file, text)
  const to = join(cwd, 'state/input')
  const it = world({
    args: ['stage', file, ...args],
    env: { LOCAL_STATE_DIR: join(cwd, 'state') },
    ...options,
  })
  const code = await run(it, () => Promise.reject(new Error('no addon needed')))
  const list = () => (existsSync(to) ? readdirSync(to).sort() : [])
  return { cwd, to, it, code, list }
}

test('pieces go to the input of the state directory, and are the file together', async (t) => {
  const { it, code, to, list } = await stage(t, ['--delimiter', 'CHAPTER', '--min-length', '10'])
  t.is(code, 0, it.err)
  t.deepEqual(list(), ['a novel-001.txt', 'a novel-002.txt', 'a novel-003.txt'])
  t.is(
    list()
      .map((name) => readFileSync(join(to, name), 'utf8'))
      .join(''),
    NOVEL,
  )
  t.regex(it.out, /^a novel-002\.txt +\d+ +CHAPTER 2\. Of ü$/m)
  t.regex(it.out, /3 lines begin with the delimiter; 3 pieces written to/)
})

test('a dry run shows the same and writes nothing', async (t) => {
  const { it, code, list } = await stage(t, [
    '--delimiter',
    'CHAPTER',
    '--min-length',
    '0',
    '--dry-run',
    '--json',
  ])
  t.is(code, 0, it.err)
  t.deepEqual(list(), [])
  const { pieces, written } = JSON.parse(it.out) as { pieces: { bytes: number }[]; written: boolean }
  t.false(written)
  t.is(
    pieces.reduce((sum, { bytes }) => sum + bytes, 0),
    Buffer.byteLength(NOVEL),
  )
})

test('--to names another place', async (t) => {
  const to = join(temporary(t), 'deep/parts')
  const { code } = await stage(t, ['--delimiter', 'CHAPTER', '--to', to])
  t.is(code, 0)
  t.deepEqual(readdirSync(to), ['a novel-001.txt'])
})

test('a delimiter that is not there is an error that says so', async (t) => {
  const { it, code, list } = await stage(t, ['--delimiter', 'Chapter'])
  t.is(code, 2)
  t.regex(it.err, /no line begins with "Chapter"; nothing was written/)
  t.deepEqual(list(), [])
})

test('nothing is overwritten', async (t) => {
  const to = temporary(t)
  writeFileSync(join(to, 'a novel-002.txt'), 'mine')
  const { code } = await stage(t, ['--delimiter', 'CHAPTER', '--min-length', '0', '--to', to])
  t.is(code, 7)
  t.deepEqual(readdirSync(to), ['a novel-002.txt'])
  t.is(readFileSync(join(to, 'a novel-002.txt'), 'utf8'), 'mine')
})

test('a disk that gets full leaves nothing behind', async (t) => {
  let opened = 0
  const open: typeof fs.open = async (path, flags, mode) => {
    if (flags === 'wx') opened += 1
    if (opened === 2) throw systemError('ENOSPC')
    return fs.open(path, flags, mode)
  }
  const files = { open }
  const { code, list } = await stage(t, ['--delimiter', 'CHAPTER', '--min-length', '0'], { files })
  t.is(code, 8)
  t.deepEqual(list(), [])
})

test('what is no file is refused', async (t) => {
  const cwd = temporary(t)
  mkdirSync(join(cwd, 'dir'))
  for (const [path, code] of [
    ['absent', 3],
    ['dir', 4],
  ] as const) {
    const it = world({ args: ['stage', join(cwd, path), '--delimiter', 'X'] })
    t.is(await run(it, () => Promise.reject(new Error('no addon needed'))), code, it.err)
  }
})

for (const args of [
  [],
  ['--delimiter', ''],
  ['--delimiter', 'a\nb'],
  ['--delimiter', 'X', '--min-length', '-1'],
]) {
  test(`wrong usage of stage: ${JSON.stringify(args)}`, async (t) => {
    t.is((await stage(t, args)).code, 2)
  })
}
