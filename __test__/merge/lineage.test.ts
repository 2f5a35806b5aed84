import test from 'ava'
import fc from 'fast-check'
import { lineageNames, parseLineage, type Lineage } from '../../src/merge/lineage.js'
import { BRIEF, drawLineage } from '../../src/report/lineage.js'

/** As the core writes it. */
function render(lineage: Lineage): string {
  if (typeof lineage !== 'string') return `(${lineage.map(render).join(' ')})`
  const escaped = lineage.replace(/["\\\p{Cc}\u2028\u2029]/gu, (c) => {
    const known = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[c]
    return known ?? `\\u{${c.codePointAt(0)?.toString(16)}}`
  })
  return `"${escaped}"`
}

const { tree } = fc.letrec<{ tree: Lineage }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: 'binary' }),
    fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
  ),
}))

test('every lineage is read as it was written', (t) => {
  fc.assert(fc.property(tree, (lineage) => void t.deepEqual(parseLineage(render(lineage)), lineage)))
})

test('what is no lineage is damaged', (t) => {
  for (const text of ['', '(', ')', '"a', '"a" "b"', 'a', '("a"))', '("a" b)']) {
    t.throws(() => parseLineage(text), { code: 'DAMAGED' }, text)
  }
})

test('names come once each', (t) => {
  t.deepEqual(lineageNames('(("a" "b") ("b" "c\\n"))'), ['a', 'b', 'c\n'])
})

test('a lineage is drawn as a tree', (t) => {
  t.deepEqual(drawLineage('"a"'), ['lineage     a'])
  t.deepEqual(drawLineage('(("a" "b") ("b" "c\\n"))'), [
    'lineage     merge of 2 archives, 4 texts',
    '├─ merge of 2 archives, 2 texts',
    '│  ├─ a',
    '│  └─ b',
    '└─ merge of 2 archives, 2 texts',
    '   ├─ b',
    '   └─ c\ufffd',
  ])
})

test('a wide or deep lineage is shortened, and all of it shown when asked', (t) => {
  const wide = `(${Array.from({ length: 5000 }, (_, i) => `"${i}"`).join(' ')})`
  const brief = drawLineage(wide, BRIEF)
  t.is(brief.length, 14)
  t.is(brief.at(-2), '└─ … 4,989 more, 4,989 texts')
  t.regex(brief.at(-1) ?? '', /--lineage shows all/)
  t.is(drawLineage(wide).length, 5001)
  const deep = `${'('.repeat(9000)}"a"${' "b")'.repeat(9000)}`
  t.true(drawLineage(deep, BRIEF).length < 20)
  t.is(drawLineage(deep).length, 18_001)
})

test('no bounds are exceeded, whatever the tree', (t) => {
  fc.assert(
    fc.property(tree, fc.nat(3), fc.integer({ min: 1, max: 4 }), (lineage, depth, width) => {
      const lines = drawLineage(render(lineage), { depth, width, lines: 10 })
      t.true(lines.length <= 11)
    }),
  )
})
