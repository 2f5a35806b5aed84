import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { clock, machine, type Files } from '../../src/effects.js'
import { FoldError } from '../../src/errors.js'
import { StateDirectory } from '../../src/state/directory.js'
import { runLocal, type LocalEvent, type LocalOptions } from '../../src/state/local.js'
import { pretended, readArchive, writeArchive } from '../support/archives.js'
import { systemError, temporary } from '../support/world.js'

/** A state directory with these files in `input/`, and a run over it with a pretended search. */
function setUp(t: ExecutionContext, texts: string[], files: Partial<Files> = {}) {
  const path = temporary(t)
  mkdirSync(join(path, 'input'))
  for (const name of texts) writeFileSync(join(path, 'input', name), `text of ${name}`)
  const events: LocalEvent[] = []
  const state = () => new StateDirectory(path, { files: { ...fs, ...files }, uniqueId: machine.uniqueId })
  const run = async (changes: Partial<LocalOptions> = {}) => {
    const { done, failed, merged, left, conflicts } = await runLocal(state(), {
      ...pretended,
      clock,
      staleAfter: 600_000,
      mergeAll: false,
      onEvent: async (event) => void events.push(event),
      ...changes,
    })
    const counts = Object.entries({ done, failed, merged, left, conflicts })
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }
  const list = (directory: string) => readdirSync(join(path, directory)).sort()
  const archive = (name: string) => readArchive(join(path, 'input', name))
  const only = () => {
    const names = list('input')
    t.is(names.length, 1, names.join())
    return archive(names[0] ?? '')
  }
  /** Makes a directory of work that somebody left so many milliseconds ago. */
  const leave = (name: string, ago: number, fill: (directory: string) => void) => {
    const directory = join(path, 'in_process', name)
    mkdirSync(directory, { recursive: true })
    fill(directory)
    const heartbeat = join(directory, 'heartbeat')
    writeFileSync(heartbeat, 'somebody 100 7')
    utimesSync(heartbeat, new Date(Date.now() - ago), new Date(Date.now() - ago))
    return directory
  }
  return { path, events, run, list, archive, only, leave }
}

test('each text becomes an archive in input/, in order, and moves to done/', async (t) => {
  const { events, run, list, archive } = setUp(t, ['b.txt', 'a.txt', 'ä x.txt'])
  t.deepEqual(await run(), { done: 3 })
  t.deepEqual(list('input'), ['a.bin', 'b.bin', 'ä x.bin'])
  t.deepEqual(list('done'), ['a.txt', 'b.txt', 'ä x.txt'])
  t.deepEqual(list('in_process'), [])
  t.deepEqual(archive('a.bin').texts, ['text of a.txt'])
  t.deepEqual(
    events.map((event) => `${event.kind} ${'name' in event ? event.name : ''}`),
    [
      'started a.txt',
      'done a.txt',
      'started b.txt',
      'done b.txt',
      'started ä x.txt',
      'done ä x.txt',
      'result ',
    ],
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
  t.deepEqual(await run(), { done: 1, left: 2 })
  t.deepEqual(list('input'), ['A.TXT', 'a.bin', 'folder.txt', 'link.txt', 'notes.md'])
  t.true(lstatSync(join(path, 'input/link.txt')).isSymbolicLink())
})

test('a text that somebody else took meanwhile is passed over', async (t) => {
  const { run, list } = setUp(t, ['a.txt', 'b.txt'], {
    rename: async (from, to) => {
      if (String(from).endsWith('input/a.txt')) await fs.rm(from)
      await fs.rename(from, to)
    },
  })
  t.deepEqual(await run(), { done: 1 })
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

test('when the archive cannot be put in its place, it is kept for the next run', async (t) => {
  let full = true
  const { path, events, run, list } = setUp(t, ['a.txt'], {
    rename: async (from, to) => {
      if (full && String(to).endsWith('input/a.bin')) throw systemError('ENOSPC')
      await fs.rename(from, to)
    },
  })
  t.deepEqual(await run(), { failed: 1 })
  t.like(events.at(-2), { kind: 'failed', error: { code: 'DISK_FULL' } })
  const [left] = list('in_process')
  t.deepEqual(readdirSync(join(path, 'in_process', left ?? '')).sort(), [
    'archive.bin',
    'heartbeat',
    'searched.txt',
  ])
  full = false
  t.deepEqual(await run({ search: () => Promise.reject(new Error('no need')) }), { done: 1 })
  t.deepEqual(list('input'), ['a.bin'])
  t.deepEqual(list('done'), ['a.txt'])
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
  t.deepEqual(await run(), { failed: 2 })
  t.deepEqual(list('input'), ['a.txt', 'b.txt'])
  t.like(events[0], { kind: 'failed', error: { code: 'NOT_WRITABLE' } })
})

test('an empty state directory is made and said to be empty', async (t) => {
  const path = join(temporary(t), 'new/state')
  const events: LocalEvent[] = []
  const options = { clock, staleAfter: 600_000, mergeAll: true }
  const state = new StateDirectory(path, machine)
  await runLocal(state, { ...pretended, ...options, onEvent: async (event) => void events.push(event) })
  t.deepEqual(events, [{ kind: 'empty', input: join(path, 'input') }])
  t.deepEqual(readdirSync(path).sort(), ['done', 'in_process', 'input'])
})

const NAMES = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt']
const TEXTS = NAMES.map((name) => `text of ${name}`)

test('archives are merged until one is left, and those made here are removed', async (t) => {
  const { path, events, run, list, only } = setUp(t, NAMES)
  t.deepEqual(await run({ mergeAll: true }), { done: 5, merged: 4 })
  t.deepEqual(only().texts, TEXTS)
  t.deepEqual(list('done'), NAMES)
  t.deepEqual(list('in_process'), [])
  t.is(list('made').length, 1)
  t.like(events.at(-1), { kind: 'result', own: true, archives: [{ archive: only().archive }] })
  // One more text is added to what is there.
  writeFileSync(join(path, 'input/f.txt'), 'text of f')
  t.deepEqual(await run({ mergeAll: true }), { done: 1, merged: 1 })
  t.deepEqual(only().texts, ['text of f', ...TEXTS].sort())
  t.deepEqual(await run({ mergeAll: true }), {})
})

test('archives that somebody else put there are merged and kept', async (t) => {
  const { path, run, list, only } = setUp(t, ['a.txt'])
  writeArchive(join(path, 'input/theirs.bin'), ['text of theirs'])
  await run({ mergeAll: true })
  t.deepEqual(only().texts, ['text of a.txt', 'text of theirs'])
  t.deepEqual(list('done'), ['a.txt', 'theirs.bin'])
})

/** Searches the text `stopped` only in part. */
const stopEarly: LocalOptions['search'] = async (source, out, signal) => {
  const whole = await pretended.search(source, `${out}-whole`, signal)
  if (source.name !== 'stopped') {
    renameSync(`${out}-whole`, out)
    return whole
  }
  const limits = [{ name: 'maxOrthos' as const, value: 1 }]
  return writeArchive(out, ['part'], { input: whole.input, complete: false, limits })
}

test('an incomplete archive is merged last, and kept so that it can be continued', async (t) => {
  const { path, events, run, list, only } = setUp(t, ['a.txt', 'b.txt', 'stopped.txt'])
  await run({ mergeAll: true, search: stopEarly })
  t.false(only().complete)
  t.deepEqual(
    events.flatMap((event) => (event.kind === 'merging' ? [event.complete] : [])),
    [true, false],
  )
  t.true(list('done').includes('stopped.bin'))
  t.true(existsSync(join(path, 'done/stopped.txt')))
})

test('shards of one text are united before anything else', async (t) => {
  const { path, events, run } = setUp(t, ['a.txt', 'b.txt'])
  const input = { name: 's', sha256: '5', bytes: 1 }
  for (const i of [1, 2]) {
    const shard = { input, complete: false, shards: [`${i}/2`] }
    writeArchive(join(path, `input/z${i}.bin`), [`shard ${i}`], shard)
  }
  await run({ mergeAll: true })
  t.deepEqual(events.find((event) => event.kind === 'merging')?.names, ['z1.bin', 'z2.bin'])
})

test('different texts of one name stay apart, before and after the first was merged', async (t) => {
  const { path, events, run, list, archive } = setUp(t, ['a.txt', 'b.txt'])
  await run({ mergeAll: true })
  writeFileSync(join(path, 'input/a.txt'), 'another text')
  writeFileSync(join(path, 'input/c.txt'), 'text of c')
  t.deepEqual(await run({ mergeAll: true }), { done: 2, merged: 1, conflicts: 1 })
  const merged = list('input').find((name) => name.startsWith('merged')) ?? ''
  t.deepEqual(list('input'), ['a.bin', merged])
  t.deepEqual(archive(merged).texts, ['text of a.txt', 'text of b.txt', 'text of c'])
  t.like(
    events.findLast((event) => event.kind === 'conflict'),
    { name: 'a', archives: [join(path, 'input/a.bin')] },
  )
})

test('two different texts of one name are both left, and the others merged', async (t) => {
  const { path, run, list } = setUp(t, ['a.txt', 'b.txt', 'c.txt'])
  await run()
  writeFileSync(join(path, 'input/a.txt'), 'another text')
  t.deepEqual(await run({ mergeAll: true }), { done: 1, merged: 1, conflicts: 1 })
  t.deepEqual(list('input').slice(0, 2), ['a-2.bin', 'a.bin'])
  t.is(list('input').length, 3)
})

test('what is no sound archive of this version is named and left; the others go on', async (t) => {
  const { path, events, run, list } = setUp(t, ['a.txt', 'b.txt'])
  mkdirSync(join(path, 'input/empty.bin'))
  writeFileSync(join(path, 'input/file.bin'), '')
  writeArchive(join(path, 'input/damaged.bin'), ['damaged'])
  writeArchive(join(path, 'input/newer.bin'), ['x'], { formatVersion: 999 })
  writeArchive(join(path, 'input/older.bin'), ['x'], { tokenizer: 0 })
  t.deepEqual(await run({ mergeAll: true }), { done: 2, merged: 1, left: 5 })
  const left = list('input').filter((name) => !name.startsWith('merged'))
  t.deepEqual(left, ['damaged.bin', 'empty.bin', 'file.bin', 'newer.bin', 'older.bin'])
  const codes = events.flatMap((event) => (event.kind === 'left' ? [event.error?.code] : []))
  t.deepEqual(codes.sort(), ['DAMAGED', 'NEWER_FORMAT', 'NOT_AN_ARCHIVE', 'TOKENIZER_DIFFERS', undefined])
  t.deepEqual(list('in_process'), [])
})

const mergeOnFullDisk: LocalOptions['merge'] = () => Promise.reject(new FoldError('DISK_FULL', 'no space'))

test('a full disk ends a merge with its own error and everything back', async (t) => {
  const { run, list } = setUp(t, ['a.txt', 'b.txt'])
  await t.throwsAsync(run({ mergeAll: true, merge: mergeOnFullDisk }), { code: 'DISK_FULL' })
  t.deepEqual(list('input'), ['a.bin', 'b.bin'])
  t.deepEqual(list('in_process'), [])
})

test('names of every kind', async (t) => {
  const names = [
    '-rf.txt',
    'a b.txt',
    'line\nbreak.txt',
    '猫.txt',
    "it's $(x).txt",
    '.txt.txt',
    'x.txt.work.txt',
  ]
  const { run, list, archive } = setUp(t, names)
  await run({ mergeAll: true })
  // A hidden file is somebody's own.
  const [hidden, merged, ...others] = list('input')
  t.is(hidden, '.txt.txt')
  t.deepEqual(others, [])
  t.is(archive(merged ?? '').texts.length, names.length - 1)
})

test('a name that leaves no room is left', async (t) => {
  const { run, events } = setUp(t, [`${'x'.repeat(246)}.txt`])
  t.deepEqual(await run(), { left: 1 })
  t.regex(JSON.stringify(events), /give it a shorter one/)
})

/** The text `text of NAME` as a manifest has it. */
const input = (name: string) => ({
  name,
  sha256: createHash('sha256').update(`text of ${name}`).digest('hex'),
  bytes: 9,
})

test('work that was left long ago is taken over at once, wherever it stopped', async (t) => {
  const { path, events, run, list, only, leave } = setUp(t, [])
  const day = 86_400_000
  leave('searching.txt.work', day, (at) => {
    writeFileSync(join(at, 'source.txt'), 'text of searching')
    mkdirSync(join(at, '.archive.bin.tmp-1-0'))
  })
  leave('found.txt.work', day, (at) => {
    writeFileSync(join(at, 'source.txt'), 'text of found')
    writeArchive(join(at, 'archive.bin'), ['text of found'], { input: input('found') })
  })
  leave('of-another.txt.work', day, (at) => {
    writeFileSync(join(at, 'source.txt'), 'text of of-another')
    writeArchive(join(at, 'archive.bin'), ['wrong'], { input: input('wrong') })
  })
  leave('searched.txt.work~0123456789abcdef', day, (at) => {
    writeFileSync(join(at, 'searched.txt'), 'text of searched')
    writeArchive(join(at, 'archive.bin'), ['text of searched'], { input: input('searched') })
  })
  leave('placed.txt.work~0123456789abcdee', day, (at) => writeFileSync(join(at, 'searched.txt'), 'x'))
  leave('just-made.txt.work', day, () => undefined)
  leave('merge.work~0123456789abcdef', day, (at) => {
    mkdirSync(join(at, 'archives'))
    writeArchive(join(at, 'archives/one.bin'), ['text of one'])
  })
  leave('merge.work~0123456789abcde0', day, (at) => {
    mkdirSync(join(at, 'archives'))
    writeArchive(join(at, 'archives/two.bin'), ['text of two'])
    writeArchive(join(at, 'archives/three.bin'), ['text of three'])
  })
  leave('merge.work~0123456789abcde1', day, (at) => {
    mkdirSync(join(at, 'superseded'))
    writeArchive(join(at, 'superseded/four.bin'), ['text of four'])
    writeArchive(join(at, 'archive.bin'), ['text of four'])
  })
  await run({ mergeAll: true })
  t.deepEqual(
    only().texts,
    ['searching', 'found', 'of-another', 'searched', 'one', 'two', 'three', 'four']
      .map((name) => `text of ${name}`)
      .sort(),
  )
  t.deepEqual(list('in_process'), [])
  t.deepEqual(
    list('done').filter((name) => name.endsWith('.txt')),
    ['found.txt', 'of-another.txt', 'placed.txt', 'searched.txt', 'searching.txt'],
  )
  t.is(events.filter(({ kind }) => kind === 'takenOver').length, 9)
  t.false(existsSync(join(path, 'input/placed.bin')))
})

test('work of a living process is not touched; its end is awaited', async (t) => {
  const { path, events, run, leave } = setUp(t, ['a.txt'])
  const directory = leave('b.txt.work', 0, (at) => writeFileSync(join(at, 'source.txt'), 'theirs'))
  let count = 0
  const theirs = setInterval(() => {
    count += 1
    writeFileSync(join(directory, 'heartbeat'), `somebody 100 ${count}`)
    if (count === 15) {
      clearInterval(theirs)
      renameSync(directory, join(path, 'gone'))
    }
  }, 100)
  t.deepEqual(await run({ staleAfter: 600 }), { done: 1 })
  t.is(readFileSync(join(path, 'gone/source.txt'), 'utf8'), 'theirs')
  t.like(
    events.find(({ kind }) => kind === 'waiting'),
    { works: ['b.txt.work'] },
  )
  t.is(events.filter(({ kind }) => kind === 'takenOver').length, 0)
})

test('work that stops giving signs is taken over even if its clock is ahead', async (t) => {
  const { run, only, leave } = setUp(t, [])
  leave('b.txt.work', -86_400_000, (at) => writeFileSync(join(at, 'source.txt'), 'theirs'))
  t.deepEqual(await run({ staleAfter: 600 }), { done: 1 })
  t.deepEqual(only().texts, ['theirs'])
})

test('what is in in_process/ without being of this program is left alone', async (t) => {
  const { path, run, list } = setUp(t, ['a.txt', 'b.txt', 'c.txt'])
  mkdirSync(join(path, 'in_process/a.txt.work'), { recursive: true })
  writeFileSync(join(path, 'in_process/a.txt.work/diary'), 'dear')
  writeFileSync(join(path, 'in_process/b.txt.work'), 'a file')
  writeFileSync(join(path, 'in_process/notes'), 'notes')
  t.deepEqual(await run({ mergeAll: true }), { done: 1, left: 2 })
  t.deepEqual(list('in_process'), ['a.txt.work', 'b.txt.work', 'notes'])
  t.is(readFileSync(join(path, 'in_process/a.txt.work/diary'), 'utf8'), 'dear')
})

test('a run whose work was taken over gives up quietly and touches nothing', async (t) => {
  const { path, events, run, list } = setUp(t, ['a.txt', 'b.txt'])
  const work = join(path, 'in_process/a.txt.work')
  const search: LocalOptions['search'] = async (source, out, signal) => {
    if (source.name === 'a') {
      renameSync(work, `${work}~0123456789abcdef`)
      // The next of that name is already there.
      mkdirSync(work)
      writeFileSync(join(work, 'heartbeat'), 'another 100 1')
      writeFileSync(join(work, 'source.txt'), 'another text')
      throw new Error('the directory is gone')
    }
    return pretended.search(source, out, signal)
  }
  const onEvent: LocalOptions['onEvent'] = async (event) => {
    events.push(event)
    if (event.kind !== 'waiting') return
    renameSync(join(path, 'in_process'), join(path, 'aside'))
    mkdirSync(join(path, 'in_process'))
  }
  t.deepEqual(await run({ search, onEvent }), { done: 1 })
  t.true(events.some((event) => event.kind === 'lost' && event.name === 'a.txt'))
  t.deepEqual(list('done'), ['b.txt'])
  t.deepEqual(list('aside'), ['a.txt.work', 'a.txt.work~0123456789abcdef'])
  t.is(readFileSync(join(path, 'aside/a.txt.work/source.txt'), 'utf8'), 'another text')
})

test('a heartbeat that finds its directory gone stops the search', async (t) => {
  const { path, events, run } = setUp(t, ['a.txt'])
  const search: LocalOptions['search'] = (_source, _out, signal) =>
    new Promise((_resolve, reject) => {
      renameSync(join(path, 'in_process/a.txt.work'), join(path, 'taken'))
      signal.addEventListener('abort', () => reject(new FoldError('CANCELLED', 'stopped')))
    })
  t.deepEqual(await run({ search, staleAfter: 1000 }), {})
  t.true(events.some(({ kind }) => kind === 'lost'))
  t.deepEqual(readdirSync(join(path, 'taken')).sort(), ['heartbeat', 'source.txt'])
})
