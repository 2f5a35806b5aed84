import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { Interner } from '../src/index.js'
import { temporary } from './support/world.js'

test('words are numbered in ascending order', async (t) => {
  const interner = await Interner.fromText('The cat sat. The cat ran; the Émile’s dog')
  t.is(interner.size, 6)
  t.deepEqual([...interner.words()], ['cat', 'dog', 'ran', 'sat', 'the', "émile's"])
  t.is(interner.token('sat'), 3)
  t.is(interner.word(3), 'sat')
  t.is(interner.token('whale'), undefined)
  for (const token of [-1, 0.5, 6, 2 ** 32, Number.NaN]) t.is(interner.word(token), undefined)
})

test('completions are the words that follow a run', async (t) => {
  const interner = await Interner.fromText('The cat sat. The cat ran. The dog.')
  t.deepEqual(interner.completions(['the']), ['cat', 'dog'])
  t.deepEqual(interner.completions(['the', 'cat']), ['ran', 'sat'])
  t.deepEqual(interner.completions(['cat', 'the']), [])
  t.deepEqual(interner.completions(['whale']), [])
  t.deepEqual(interner.completions([]), [])
})

test('an empty text has no words', async (t) => {
  const interner = await Interner.fromText('')
  t.is(interner.size, 0)
  t.deepEqual([...interner.words()], [])
})

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', ' ', '.'), maxLength: 60 })

test('the union of two interners is the interner of both texts', async (t) => {
  await fc.assert(
    fc.asyncProperty(text, text, async (a, b) => {
      const [left, right, both] = await Promise.all([
        Interner.fromText(a),
        Interner.fromText(b),
        Interner.fromText(`${a}\n\n${b}`),
      ])
      t.is(await (await left.union(right)).digest(), await both.digest())
    }),
    { numRuns: 50 },
  )
})

test('a text that is not UTF-8 is refused with the byte offset', async (t) => {
  await t.throwsAsync(Interner.fromText(Uint8Array.of(97, 98, 0xff), 'x.txt'), {
    code: 'INPUT_NOT_UTF8',
    message: /x\.txt.*\b2\b/,
  })
})

test('a file is read; a missing one and a directory are refused', async (t) => {
  const directory = temporary(t)
  const file = join(directory, 'a.txt')
  writeFileSync(file, 'one two')
  mkdirSync(join(directory, 'b.txt'))
  t.is((await Interner.fromFile(file)).size, 2)
  await t.throwsAsync(Interner.fromFile(join(directory, 'c.txt')), { code: 'INPUT_NOT_FOUND' })
  await t.throwsAsync(Interner.fromFile(join(directory, 'b.txt')), { code: 'INPUT_UNREADABLE' })
})
