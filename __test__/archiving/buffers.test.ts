/** Bytes that are handed over in a few buffers. */
import test from 'ava'
import fc from 'fast-check'
import { Buffers, Pieces } from '../../src/archiving/buffers.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('what is written comes out, in order, in full pieces', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      async (chunks, size, count, slow) => {
        const buffers = new Buffers(size, count)
        const pieces = new Pieces(buffers)
        const writing = (async () => {
          for (const chunk of chunks) {
            await pieces.write(chunk)
            if (slow) await turn()
          }
          pieces.end()
        })()
        const found: Buffer[] = []
        for await (const piece of pieces) {
          if (!slow) await turn()
          found.push(Buffer.from(piece))
          buffers.release(piece)
        }
        await writing
        t.deepEqual(Buffer.concat(found), Buffer.concat(chunks))
        t.true(found.slice(0, -1).every(({ length }) => length === size))
      },
    ),
  )
})

test('who waits learns that the other side has failed', async (t) => {
  const unread = new Pieces(new Buffers(1, 2))
  const writing = unread.write(Buffer.from('abc'))
  await turn()
  unread.fail(new Error('reader'))
  await t.throwsAsync(writing, { message: 'reader' })
  await t.throwsAsync(unread.write(Buffer.from('d')), { message: 'reader' })

  const unwritten = new Pieces(new Buffers(1, 2))
  const reading = unwritten[Symbol.asyncIterator]().next()
  await turn()
  unwritten.fail(new Error('writer'))
  await t.throwsAsync(reading, { message: 'writer' })
})

test('a buffer is used again when everybody has let go of it, and not before', async (t) => {
  const buffers = new Buffers(8, 2)
  const [first, second] = [await buffers.take(), await buffers.take()]
  let third: Buffer | undefined
  const waiting = buffers.take().then((buffer) => (third = buffer))
  buffers.hold(first.subarray(2, 4))
  buffers.release(first)
  await turn()
  t.is(third, undefined)
  buffers.release(first.subarray(2, 4))
  await waiting
  t.is(third?.buffer, first.buffer)
  t.not(third?.buffer, second.buffer)
  // What is no buffer of this place is nobody's business.
  buffers.release(Buffer.alloc(8))
})
