import test from 'ava'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { drawOrtho } from '../../src/report/grid.js'
import { cellsOf } from '../../src/shape.js'

test('two dimensions are one grid: the first axis down, the second across', async (t) => {
  t.deepEqual(await drawOrtho([2, 3], ['the', 'cat', 'old', 'sat', 'man', 'ran']), [
    '┌─────┬─────┬─────┐',
    '│ the │ cat │ sat │',
    '├─────┼─────┼─────┤',
    '│ old │ man │ ran │',
    '└─────┴─────┴─────┘',
  ])
})

test('three dimensions are labelled slices of equal width', async (t) => {
  const words = cellsOf([2, 2, 2]).map((cell) => (cell.join('') === '101' ? 'longer' : cell.join('')))
  t.deepEqual(await drawOrtho([2, 2, 2], words), [
    '(0, ·, ·)',
    '┌─────┬────────┐',
    '│ 000 │ 001    │',
    '├─────┼────────┤',
    '│ 010 │ 011    │',
    '└─────┴────────┘',
    '',
    '(1, ·, ·)',
    '┌─────┬────────┐',
    '│ 100 │ longer │',
    '├─────┼────────┤',
    '│ 110 │ 111    │',
    '└─────┴────────┘',
  ])
})

test('four dimensions have a slice for each pair of leading coordinates, in order', async (t) => {
  const lines = await drawOrtho(
    [2, 2, 2, 2],
    cellsOf([2, 2, 2, 2]).map((cell) => cell.join('')),
  )
  t.deepEqual(
    lines.filter((line) => line.startsWith('(')),
    ['(0, 0, ·, ·)', '(0, 1, ·, ·)', '(1, 0, ·, ·)', '(1, 1, ·, ·)'],
  )
})

test('wide characters and combining marks keep the columns straight', async (t) => {
  const widths = (await drawOrtho([2, 2], ['猫', 'a', 'e\u0301té', '日本語'])).map((line) =>
    stringWidth(line),
  )
  t.is(new Set(widths).size, 1)
})

test('every word is in the drawing, every line of a slice equally wide', async (t) => {
  const dims = fc.array(fc.integer({ min: 2, max: 3 }), { minLength: 2, maxLength: 4 })
  const letters = fc.string({ unit: fc.constantFrom('a', 'é', '字', 'ё'), minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(dims, fc.infiniteStream(letters), async (d, stream) => {
      const words = cellsOf(d).map(() => stream.next().value as string)
      const lines = await drawOrtho(d, words)
      const rows = lines.filter((line) => line.startsWith('│'))
      t.is(new Set(rows.map((line) => stringWidth(line))).size, 1)
      t.deepEqual(
        rows
          .flatMap((row) => row.split('│').map((c) => c.trim()))
          .filter(Boolean)
          .sort(),
        words.sort(),
      )
    }),
  )
})
