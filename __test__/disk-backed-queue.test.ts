import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { DiskBackedQueue } from '../src/index.js'
import { packRecords, unpackRecords } from '../src/records.js'
import { temporary } from './support/world.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const texts = (records: readonly Uint8Array[]) => records.map((record) => new TextDecoder().decode(record))

async function all(queue: DiskBackedQueue): Promise<Uint8Array[]> {
  const records = []
  for await (const record of queue) records.push(record)
  return records
}

test('first in, first out, in the order of the calls', async (t) => {
  const queue = await DiskBackedQueue.open(temporary(t))
  // Not awaited one by one: calls made at once must still take effect in order.
  await Promise.all(['a', 'b', 'c', 'd'].map((text) => queue.push([bytes(text), bytes(text + text)])))
  t.is(queue.length, 8)
  t.deepEqual(texts(await all(queue)), ['a', 'aa', 'b', 'bb', 'c', 'cc', 'd', 'dd'])
  t.is(queue.length, 8)
  t.deepEqual(texts(await queue.pop(3)), ['a', 'aa', 'b'])
  t.deepEqual(texts(await queue.pop()), ['bb'])
  t.is(queue.length, 4)
  t.deepEqual(texts(await queue.pop(100)), ['c', 'cc', 'd', 'dd'])
  t.deepEqual(await queue.pop(), [])
  await queue.close()
})

test('what was closed is there again, also what did not fit the buffer', async (t) => {
  const directory = temporary(t)
  const records = Array.from({ length: 5000 }, (_, i) => bytes(`record ${i}`))
  const queue = await DiskBackedQueue.open(directory, { memory: 4096 })
  await queue.push(records)
  await queue.close()
  const again = await DiskBackedQueue.open(directory)
  t.is(again.length, 5000)
  t.deepEqual(await again.damage(), [])
  t.deepEqual(texts(await all(again)), texts(records))
  await again.close()
})

test('the memory of a record may be used again once push has returned', async (t) => {
  const queue = await DiskBackedQueue.open(temporary(t))
  const record = bytes('before')
  const pushed = queue.push([record])
  record.set(bytes('behind'))
  await pushed
  t.deepEqual(texts(await queue.pop()), ['before'])
  await queue.close()
})

test('a flipped bit is noticed, named, and does not stop the rest', async (t) => {
  const directory = temporary(t)
  const queue = await DiskBackedQueue.open(directory, { memory: 1024 })
  await queue.push(Array.from({ length: 200_000 }, (_, i) => bytes(`record ${i}`)))
  await queue.close()
  const segment = join(directory, readdirSync(directory).find((name) => name.endsWith('.seg')) ?? '')
  const content = readFileSync(segment)
  content[1000] = (content[1000] ?? 0) ^ 1
  writeFileSync(segment, content)

  const damaged = await DiskBackedQueue.open(directory)
  const found: string[] = []
  await t.throwsAsync(
    async () => {
      for await (const record of damaged) found.push(...texts([record]))
    },
    { code: 'DAMAGED' },
  )
  t.true(found.length > 100_000 && found.length < 200_000)
  t.is(found.at(-1), 'record 199999')

  let popped: Uint8Array[]
  do popped = await damaged.pop(10_000)
  while (popped.length > 0)
  const [damage] = await damaged.damage()
  t.regex(damage?.file ?? '', /\.corrupt$/)
  await damaged.close()
})

test('a closed queue says so', async (t) => {
  const queue = await DiskBackedQueue.open(temporary(t))
  await queue.close()
  await t.throwsAsync(queue.push([bytes('x')]), { code: 'CLOSED' })
  await t.throwsAsync(queue.pop(), { code: 'CLOSED' })
  await t.throwsAsync(all(queue), { code: 'CLOSED' })
  await queue.close()
})

test('wrong arguments are refused', async (t) => {
  const queue = await DiskBackedQueue.open(temporary(t))
  await t.throwsAsync(queue.pop(0), { code: 'INVALID_ARGUMENT' })
  await t.throwsAsync(queue.pop(1.5), { code: 'INVALID_ARGUMENT' })
  await t.throwsAsync(DiskBackedQueue.open(temporary(t), { memory: 0 }), { code: 'INVALID_ARGUMENT' })
  await queue.close()
})

test('a file in the place of the directory is an error', async (t) => {
  const file = join(temporary(t), 'file')
  writeFileSync(file, '')
  await t.throwsAsync(DiskBackedQueue.open(file), { name: 'FoldError' })
})

test('records are packed and unpacked as they were', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 10 })), (records) => {
      t.deepEqual(
        unpackRecords(packRecords(records)),
        records.map((record) => new Uint8Array(record)),
      )
    }),
  )
})
