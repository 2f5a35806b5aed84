import test from 'ava'
import fc from 'fast-check'
import { cellsOf, compareShapes, formatShape, parseShape } from '../src/shape.js'

test('cells are listed by shell, then lexicographically', (t) => {
  t.deepEqual(cellsOf([2, 3]), [
    [0, 0],
    [0, 1],
    [1, 0],
    [0, 2],
    [1, 1],
    [1, 2],
  ])
})

const dims = fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 2, maxLength: 4 })

test('each cell is listed once', (t) => {
  fc.assert(
    fc.property(dims, (d) => {
      const cells = cellsOf(d)
      t.is(
        cells.length,
        d.reduce((a, b) => a * b),
      )
      t.is(new Set(cells.map((cell) => cell.join())).size, cells.length)
    }),
  )
})

test('shapes read back in ascending order', (t) => {
  fc.assert(
    fc.property(dims, (d) => {
      t.deepEqual(
        parseShape(formatShape(d)),
        [...d].sort((a, b) => a - b),
      )
    }),
  )
})

for (const text of ['', '2', '2x', 'x2', '2x1', '2x0x3', '2y3', '2x-3', '2x3.5', '2x4294967296', '2 3']) {
  test(`"${text}" is no shape`, (t) => {
    t.throws(() => parseShape(text), { code: 'INVALID_ARGUMENT' })
  })
}

test('shapes sort by number of dimensions, then by lengths as numbers', (t) => {
  t.deepEqual(['2x2x2', '2x10', '3x3', '2x9'].sort(compareShapes), ['2x9', '2x10', '3x3', '2x2x2'])
})
