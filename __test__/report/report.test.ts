import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { clip } from '../../src/report/clip.js'
import { formatCount, formatSeconds, plural, shapeTable } from '../../src/report/numbers.js'
import { ProgressDisplay, describeProgress } from '../../src/report/progress.js'
import { describeArchive, describeSearch } from '../../src/report/summary.js'
import { meterFor } from '../../src/report/width.js'
import type { Progress } from '../../src/task.js'
import { EMPTY, summary } from '../support/summaries.js'
import { world } from '../support/world.js'

const PROGRESS: Progress = {
  phase: 'search',
  share: 0.426,
  orthos: 3_000_000,
  elapsedSeconds: 2,
  shapes: { '2x2': 3_000_000 },
  best: { dims: [2, 2], words: ['a', 'b', 'c', 'd'] },
  memory: 64 * 2 ** 20,
  disk: 0,
  diskFree: null,
}

test('counts have separators, times the digits that matter', (t) => {
  t.deepEqual([0, 999, 1000, 77881309].map(formatCount), ['0', '999', '1,000', '77,881,309'])
  t.deepEqual([0.0123, 3.44, 320, 7400].map(formatSeconds), ['12 ms', '3.4 s', '5 min 20 s', '2 h 3 min'])
  t.is(plural(1, 'ortho'), '1 ortho')
  t.is(plural(2000, 'ortho'), '2,000 orthos')
})

test('the table of shapes is sorted and aligned, with a total', (t) => {
  t.deepEqual(shapeTable({ '2x2x2': 4, '2x3': 30, '2x2': 1200, '3x3': 0 }), [
    '2x2    1,200',
    '2x3       30',
    '2x2x2      4',
    'total  1,234',
  ])
  t.deepEqual(shapeTable({ '2x2': 1 }), ['2x2  1'])
})

test('a search is told with counts, the optimal ortho, time and place', async (t) => {
  const text = (await describeSearch(summary(), 0.5)).join('\n')
  t.regex(text, /optimal ortho: 2x3, volume 2, 6 cells\n┌/)
  t.regex(text, /1,234 orthos in 500 ms, 2,468 a second\narchive: a\.bin \(4 KiB\)$/)
})

test('a text without any ortho is said to have none', async (t) => {
  t.regex((await describeSearch(EMPTY, 0.5)).join('\n'), /This text has no ortho/)
})

test('an archive is told with its origin', async (t) => {
  t.regex((await describeArchive(summary())).join('\n'), /^input {7}a\.txt \(2 KiB\)$/m)
})

test('progress is one line', (t) => {
  t.is(
    describeProgress(PROGRESS),
    'searching 42 %, 3,000,000 orthos, 2.0 s, 1,500,000 a second, 64 MiB, best 2x2: a b c d',
  )
})

test('on a terminal the line is rewritten, no wider than the screen, and removed at the end', async (t) => {
  const it = world({ terminal: true, columns: 20 })
  const display = new ProgressDisplay(it, { quiet: false })
  display.show(PROGRESS)
  await setImmediate()
  t.is(it.err, '\r\u001b[2Ksearching 42 %, 3,…')
  display.end()
  display.end()
  t.true(it.err.endsWith('3,…\r\u001b[2K'))
})

test('nothing is drawn after the end', async (t) => {
  const it = world({ terminal: true })
  const display = new ProgressDisplay(it, { quiet: false })
  display.show({ ...PROGRESS, best: { dims: [2, 2], words: ['猫', 'b', 'c', 'd'] } })
  display.end()
  await meterFor(['猫'])
  await setImmediate()
  t.is(it.err, '')
})

test('elsewhere a line every few seconds, and none for what is quick', (t) => {
  const it = world()
  const display = new ProgressDisplay(it, { quiet: false })
  for (it.clock = 0; it.clock < 11_000; it.clock += 200) display.show(PROGRESS)
  display.end()
  t.is(it.err.split('\n').length - 1, 2)
  t.false(it.err.includes('\u001b'))
})

test('wide text is cut at whole characters', async (t) => {
  const meter = await meterFor(['日'])
  t.is(clip('日本語', 6, meter), '日本語')
  t.is(clip('日本語', 5, meter), '日本…')
  t.is(clip('日本語', 4, meter), '日…')
})
