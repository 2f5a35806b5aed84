import { lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Files } from '../../src/effects.js'
import { FoldError } from '../../src/errors.js'
import { StateDirectory } from '../../src/state/directory.js'
import { runLocal, type LocalEvent, type LocalOptions } from '../../src/state/local.js'
import { summary } from '../support/summaries.js'
import { systemError, temporary } from '../support/world.js'

/** A state directory with these files in `input/`, and a run over it with a pretended search. */
function setUp(t: ExecutionContext, texts: string[], files: Partial<Files> = {}) {
  const path = temporary(t)
  mkdirSync(join(path, 'input'))
  for (const name of texts) writeFileSync(join(path, 'input', name), `text of ${name}`)
  const events: LocalEvent[] = []
  const state = new StateDirectory(path, { ...fs, ...files })
  const run = (changes: Partial<LocalOptions> = {}) =>
    runLocal(state, {
      search: async (source, out) => {
        if (!('path' in source)) throw new Error('local mode searches files')
        const text = readFileSync(source.path, 'utf8')
        if (text.includes('bad')) throw new FoldError('INPUT_NOT_UTF8', `${source.name} is bad`)
        mkdirSync(out)
        writeFileSync(join(out, 'manifest'), `archive of ${text}`)
        return summary({ archive: out })
      },
      onEvent: async (event) => void events.push(event),
      ...changes,
    })
  const list = (directory: string) => readdirSync(join(path, directory)).sort()
  return { path, state, events, run, list }
}

test('each text becomes an archive in input/, in order, and moves to done/', async (t) => {
  const { path, events, run, list } = setUp(t, ['b.txt', 'a.txt', 'ä x.txt'])
  t.deepEqual(await run(), { done: 3, failed: 0 })
  t.deepEqual(list('input'), ['a.bin', 'b.bin', 'ä x.bin'])
  t.deepEqual(list('done'), ['a.txt', 'b.txt', 'ä x.txt'])
  t.deepEqual(list('in_process'), [])
  t.is(readFileSync(join(path, 'input/a.bin/manifest'), 'utf8'), 'archive of text of a.txt')
  t.deepEqual(
    events.map((event) => `${event.kind} ${'name' in event ? event.name : ''}`),
    ['started a.txt', 'done a.txt', 'started b.txt', 'done b.txt', 'started ä x.txt', 'done ä x.txt'],
  )
})

test('a text that fails goes back, and the others go on', async (t) => {
  const { path, events, run, list } = setUp(t, ['a.txt', 'bad.txt', 'c.txt'])
  t.deepEqual(await run(), { done: 2, failed: 1 })
  t.deepEqual(list('input'), ['a.bin', 'bad.txt', 'c.bin'])
  t.deepEqual(list('in_process'), [])
  t.is(readFileSync(join(path, 'input/bad.txt'), 'utf8'), 'text of bad.txt')
  t.like(
    events.find((event) => event.kind === 'failed'),
    { name: 'bad.txt', error: { code: 'INPUT_NOT_UTF8' } },
  )
})

test('names that are taken are not overwritten', async (t) => {
  const { path, run, list } = setUp(t, ['a.txt'])
  mkdirSync(join(path, 'input/a.bin'))
  mkdirSync(join(path, 'done'))
  writeFileSync(join(path, 'done/a.txt'), 'before')
  await run()
  t.deepEqual(list('input'), ['a-2.bin', 'a.bin'])
  t.deepEqual(list('done'), ['a-2.txt', 'a.txt'])
  t.is(readFileSync(join(path, 'done/a.txt'), 'utf8'), 'before')
})

test('links, directories and other files are left alone', async (t) => {
  const { path, run, list } = setUp(t, ['a.txt', 'notes.md', 'A.TXT'])
  symlinkSync(join(path, 'input/notes.md'), join(path, 'input/link.txt'))
  mkdirSync(join(path, 'input/folder.txt'))
  t.deepEqual(await run(), { done: 1, failed: 0 })
  t.deepEqual(list('input'), ['A.TXT', 'a.bin', 'folder.txt', 'link.txt', 'notes.md'])
  t.true(lstatSync(join(path, 'input/link.txt')).isSymbolicLink())
})

test('what another run holds is reported and left alone', async (t) => {
  const { path, events, run, list } = setUp(t, ['a.txt'])
  mkdirSync(join(path, 'in_process/a.txt.work'), { recursive: true })
  writeFileSync(join(path, 'in_process/a.txt.work/source.txt'), 'theirs')
  t.deepEqual(await run(), { done: 0, failed: 0 })
  t.deepEqual(list('input'), ['a.txt'])
  t.is(readFileSync(join(path, 'in_process/a.txt.work/source.txt'), 'utf8'), 'theirs')
  t.is(events[0]?.kind, 'held')
})

test('a text that somebody else took meanwhile is passed over', async (t) => {
  const { run, list } = setUp(t, ['a.txt', 'b.txt'], {
    rename: async (from, to) => {
      if (String(from).endsWith('input/a.txt')) throw systemError('ENOENT')
      await fs.rename(from, to)
    },
  })
  t.deepEqual(await run(), { done: 1, failed: 0 })
  t.deepEqual(list('in_process'), [])
})

test('a stop puts the text back and ends the run', async (t) => {
  const { run, list } = setUp(t, ['a.txt', 'b.txt'])
  const stop = new AbortController()
  const search: LocalOptions['search'] = async (_source, out) => {
    mkdirSync(out)
    stop.abort()
    throw new FoldError('CANCELLED', 'stopped')
  }
  await t.throwsAsync(run({ search, signal: stop.signal }), { code: 'CANCELLED' })
  t.deepEqual(list('input'), ['a.txt', 'b.txt'])
  t.deepEqual(list('in_process'), [])
})

test('a stop before the first text touches nothing', async (t) => {
  const { run, list } = setUp(t, ['a.txt'])
  await t.throwsAsync(run({ signal: AbortSignal.abort() }), { code: 'CANCELLED' })
  t.deepEqual(list('input'), ['a.txt'])
})

test('when the archive cannot be put in its place, the text goes back', async (t) => {
  const { events, run, list } = setUp(t, ['a.txt'], {
    rename: async (from, to) => {
      if (String(to).endsWith('.bin')) throw systemError('ENOSPC')
      await fs.rename(from, to)
    },
  })
  t.deepEqual(await run(), { done: 0, failed: 1 })
  t.deepEqual(list('input'), ['a.txt'])
  t.deepEqual(list('in_process'), [])
  t.like(events.at(-1), { kind: 'failed', error: { code: 'DISK_FULL' } })
})

test('a state directory that cannot be made is an error before any text is touched', async (t) => {
  for (const [system, code] of [
    ['EROFS', 'NOT_WRITABLE'],
    ['ENOTDIR', 'NOT_WRITABLE'],
    ['ENOSPC', 'DISK_FULL'],
  ] as const) {
    const { run, list } = setUp(t, ['a.txt'], {
      mkdir: (() => Promise.reject(systemError(system))) as Files['mkdir'],
    })
    await t.throwsAsync(run(), { code })
    t.deepEqual(list('input'), ['a.txt'])
  }
})

test('a read-only in_process/ fails each text and moves none', async (t) => {
  const { events, run, list } = setUp(t, ['a.txt', 'b.txt'], {
    mkdir: (async (path: string, options?: { recursive: true }) => {
      if (path.endsWith('.work')) throw systemError('EROFS')
      return fs.mkdir(path, options)
    }) as Files['mkdir'],
  })
  t.deepEqual(await run(), { done: 0, failed: 2 })
  t.deepEqual(list('input'), ['a.txt', 'b.txt'])
  t.like(events[0], { kind: 'failed', error: { code: 'NOT_WRITABLE' } })
})

const neverCalled: LocalOptions['search'] = () => Promise.reject(new Error('there is nothing to search'))

test('an empty state directory is made and said to be empty', async (t) => {
  const path = join(temporary(t), 'new/state')
  const events: LocalEvent[] = []
  const state = new StateDirectory(path, fs)
  await runLocal(state, { search: neverCalled, onEvent: async (event) => void events.push(event) })
  t.deepEqual(events, [{ kind: 'empty', input: join(path, 'input') }])
  t.deepEqual(readdirSync(path).sort(), ['done', 'in_process', 'input'])
})
