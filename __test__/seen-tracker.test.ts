import { randomBytes } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { SeenTracker } from '../src/index.js'
import { temporary } from './support/world.js'

const fingerprint = (n: number) => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(12, n)
  return bytes
}

test('only the first of equal fingerprints is new', async (t) => {
  const seen = await SeenTracker.open(temporary(t))
  const [a, b] = [fingerprint(1), fingerprint(2)]
  t.deepEqual(await seen.insert([a, b, a]), [true, true, false])
  t.deepEqual(await seen.insert([b]), [false])
  t.deepEqual(await seen.has([a, fingerprint(3)]), [true, false])
  t.is(seen.size, 2)
  await seen.close()
})

test('calls take effect in the order in which they are made', async (t) => {
  const seen = await SeenTracker.open(temporary(t))
  const answers = await Promise.all(Array.from({ length: 50 }, () => seen.insert([fingerprint(7)])))
  t.deepEqual(answers.flat().indexOf(true), 0)
  t.is(answers.flat().filter(Boolean).length, 1)
  await seen.close()
})

test('it answers as a set in memory does, also after reopening', async (t) => {
  const batches = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(batches, async (numbers) => {
      const directory = temporary(t)
      const model = new Set<number>()
      for (const batch of numbers) {
        const seen = await SeenTracker.open(directory)
        const expected = batch.map((n) => !model.has(n) && Boolean(model.add(n)))
        t.deepEqual(await seen.insert(batch.map(fingerprint)), expected)
        t.is(seen.size, model.size)
        await seen.close()
      }
    }),
    { numRuns: 30 },
  )
})

test('more than the budget of memory holds stays exact', async (t) => {
  const seen = await SeenTracker.open(temporary(t), { memory: 4 * 2 ** 20 })
  const all = randomBytes(16 * 500_000)
  for (const from of [0, 1, 2, 3, 4].map((part) => part * 16 * 100_000)) {
    const answers = await seen.insertPacked(all.subarray(from, from + 16 * 100_000))
    t.true(answers.every((answer) => answer === 1))
  }
  t.true((await seen.insertPacked(all)).every((answer) => answer === 0))
  t.is(seen.size, 500_000)
  await seen.close()
})

test('wrong lengths and a closed tracker are refused', async (t) => {
  const seen = await SeenTracker.open(temporary(t))
  await t.throwsAsync(seen.insert([new Uint8Array(15)]), { code: 'INVALID_ARGUMENT' })
  await t.throwsAsync(seen.insertPacked(new Uint8Array(17)), { code: 'INVALID_ARGUMENT' })
  await seen.close()
  await t.throwsAsync(seen.insert([fingerprint(1)]), { code: 'CLOSED' })
})

test('a budget too small to work with is refused', async (t) => {
  await t.throwsAsync(SeenTracker.open(temporary(t), { memory: 1 }), { code: 'MEMORY_TOO_SMALL' })
})
