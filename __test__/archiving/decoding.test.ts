/** Zstd streams of all kinds of frames, decoded side by side or in order. */
import { createHash, randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { compress } from '@mongodb-js/zstd'
import test from 'ava'
import fc from 'fast-check'
import { Buffers, Pieces } from '../../src/archiving/buffers.js'
import { Decoding, LANES } from '../../src/archiving/decoding.js'
import { FRAME_BYTES, FrameCutter, LONGEST_FRAME } from '../../src/archiving/frames.js'

async function decode(stream: Buffer, chunk: number, summed = stream.length) {
  const packed = new Buffers(LONGEST_FRAME, LANES + 2)
  const unpacked = new Buffers(FRAME_BYTES, LANES + 4)
  const pieces = new Pieces(packed, new FrameCutter())
  const writing = (async () => {
    for (let at = 0; at < stream.length; at += chunk) await pieces.write(stream.subarray(at, at + chunk))
    pieces.end()
  })().catch(() => undefined)
  const decoding = await Decoding.of(pieces, { packed, unpacked, summed })
  const found: Buffer[] = []
  try {
    for await (const bytes of decoding.decoded()) {
      found.push(Buffer.from(bytes))
      unpacked.release(bytes)
    }
  } finally {
    pieces.fail(new Error('ended'))
    await writing
  }
  return { found, sha256: await decoding.sha256() }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** Bytes of a kind, and the frame of them. */
const KINDS: Record<string, (size: number) => Buffer> = {
  random: (size) => randomBytes(size),
  zeros: (size) => Buffer.alloc(size),
  text: (size) => Buffer.alloc(size, 'the quick brown fox jumps over the lazy dog, '),
}
const framed = (bytes: Buffer, options: string[]) =>
  execFileSync('zstd', ['-q', '-c', ...options], { input: bytes, maxBuffer: 2 ** 30 })
const skippable = (bytes: Buffer) => {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x184d2a53, 0)
  head.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([head, bytes])
}

const part = fc.record({
  kind: fc.constantFrom(...Object.keys(KINDS)),
  size: fc.oneof(
    { weight: 3, arbitrary: fc.constant(FRAME_BYTES) },
    fc.integer({ min: 0, max: 3 * FRAME_BYTES }),
    fc.integer({ min: 0, max: 40 }),
  ),
  how: fc.oneof(
    { weight: 4, arbitrary: fc.constant('ours') },
    fc.constantFrom('-3', '-19 --long=27', '--no-check', '-B131072'),
  ),
  skipped: fc.boolean(),
})

test('any frames, in any pieces, give what went in and its sum', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 5 }),
      fc.constantFrom(1000, 65_536, 4_000_000),
      async (parts, chunk) => {
        const stream: Buffer[] = []
        const plain: Buffer[] = []
        for (const { kind, size, how, skipped } of parts) {
          const bytes = KINDS[kind]?.(size) ?? Buffer.alloc(0)
          plain.push(bytes)
          stream.push(how === 'ours' ? await compress(bytes) : framed(bytes, how.split(' ')))
          if (skipped) stream.push(skippable(bytes.subarray(0, 30)))
        }
        const whole = Buffer.concat(stream)
        const { found, sha256: sum } = await decode(whole, chunk)
        t.is(sha256(Buffer.concat(found)), sha256(Buffer.concat(plain)))
        t.is(sum, sha256(whole))
        t.true(found.slice(0, -1).every(({ length }) => length === FRAME_BYTES))
      },
    ),
    { numRuns: 40 },
  )
})

test('frames of ours are told one from the other, and only the first bytes are summed', async (t) => {
  const frames = await Promise.all(
    ['random', 'zeros', 'text'].map((kind) => compress(KINDS[kind]?.(FRAME_BYTES) ?? Buffer.alloc(0))),
  )
  t.true(frames.every((frame) => frame.length <= LONGEST_FRAME && FrameCutter.isFrame(frame)))
  t.false(FrameCutter.isFrame(Buffer.concat(frames.slice(0, 2))))
  t.false(FrameCutter.isFrame(frames[0]?.subarray(0, -1) ?? Buffer.alloc(0)))
  const whole = Buffer.concat(frames)
  t.is((await decode(whole, 65_536, 1000)).sha256, sha256(whole.subarray(0, 1000)))
})

test('a stream that is damaged or cut is refused, however it is', async (t) => {
  const frame = await compress(randomBytes(FRAME_BYTES))
  const whole = Buffer.concat([frame, await compress(Buffer.from('end'))])
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: whole.length - 1 }), async (length) => {
      if (length === frame.length) return
      await t.throwsAsync(decode(whole.subarray(0, length), 65_536), { code: 'DAMAGED' })
    }),
    { numRuns: 30 },
  )
  const wrong = Buffer.from(whole)
  wrong.writeUIntLE(0xffffff, 6, 3)
  await t.throwsAsync(decode(wrong, 65_536), { code: 'DAMAGED' })
})
