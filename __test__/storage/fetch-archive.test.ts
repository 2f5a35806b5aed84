/** Archives that are unpacked while they arrive from a store that fails. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { CompressedArchive } from '../../src/archiving/compress.js'
import { encodeFooter } from '../../src/archiving/facts.js'
import { ObjectChanged, type Bucket, type ReadOptions, type Reading } from '../../src/storage/bucket.js'
import { fetchArchive } from '../../src/storage/fetch-archive.js'
import { metadataOf } from '../../src/storage/metadata.js'
import { realArchive } from '../support/compressed-archives.js'
import { manySquares } from '../support/texts.js'
import { temporary, world } from '../support/world.js'

/** The bytes of one attempt to read. */
type Answer = (bytes: Buffer, from: number) => Buffer | Error

const sound: Answer = (bytes, from) => bytes.subarray(from)
const cut: Answer = (bytes, from) => bytes.subarray(from, from + 700)
const flipped: Answer = (bytes, from) => {
  const wrong = Buffer.from(bytes)
  const at = bytes.length >> 1
  wrong[at] = (wrong[at] ?? 0) ^ 1
  return wrong.subarray(from)
}
const changed: Answer = () => new ObjectChanged('it is another')

/** A bucket with one archive, whose n-th reading goes by the n-th answer, and the last from then on. */
function bucketOf(bytes: Buffer, metadata: Record<string, string>, answers: readonly Answer[]) {
  const readings: ReadOptions[] = []
  const bucket: Bucket = {
    url: 's3://fold-archives',
    async *list() {},
    head: async (key) => ({ key, bytes: bytes.length, modified: 0, metadata }),
    async read(_key, options): Promise<Reading> {
      const answer = answers[Math.min(readings.length, answers.length - 1)] ?? sound
      readings.push(options)
      const sent = answer(bytes, options.from ?? 0)
      if (sent instanceof Error) throw sent
      return {
        body: chunks(sent),
        total: bytes.length,
        tag: '"1"',
        md5: undefined,
        metadata,
        close: () => undefined,
      }
    },
    create: () => Promise.reject(new Error('not here')),
  }
  return { bucket, readings }
}

async function* chunks(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 500) yield bytes.subarray(at, at + 500)
}

function fetched(t: ExecutionContext<unknown>, bucket: Bucket, bytes: Buffer, signal?: AbortSignal) {
  const home = temporary(t)
  const it = world()
  const coming = fetchArchive(bucket, 'a', {
    world: { ...it, sleep: async (milliseconds) => void (it.clock += milliseconds), now: () => it.clock },
    patience: { attempt: 60_000, whole: 600_000 },
    signal: signal ?? new AbortController().signal,
    out: join(home, 'back.bin'),
    durable: false,
    readEnd: async () => bytes.subarray(-65_536),
    files: it.files,
  })
  return { home, coming }
}

async function stored(t: ExecutionContext<unknown>): Promise<CompressedArchive & { content: Buffer }> {
  const archive = await realArchive(t, manySquares(20))
  return { ...archive, content: readFileSync(archive.path) }
}

for (const [what, answers, readings] of [
  ['is well', [sound], 1],
  ['breaks off twice', [cut, cut, sound], 3],
  ['flips a bit once', [flipped, sound], 2],
  ['has another object in the middle', [cut, changed, sound], 3],
] as const) {
  for (const told of ['by metadata', 'by its footer']) {
    test(`an archive that tells of itself ${told} is unpacked when the store ${what}`, async (t) => {
      const archive = await stored(t)
      const metadata = told === 'by metadata' ? metadataOf(archive) : {}
      const { bucket, readings: made } = bucketOf(archive.content, metadata, answers)
      const { home, coming } = fetched(t, bucket, archive.content)
      t.is((await coming).contentDigest, archive.facts.contentDigest)
      t.deepEqual(readdirSync(home), ['back.bin'])
      t.is(made.length, readings)
      // What broke off went on where it was.
      if (what === 'breaks off twice')
        t.deepEqual(
          made.map(({ from }) => from),
          [0, 700, 1400],
        )
    })
  }
}

test('what is not what was stored is not taken, and says which of both it is', async (t) => {
  const { content, ...archive } = await stored(t)
  const always = fetched(t, bucketOf(content, metadataOf(archive), [flipped]).bucket, content)
  await t.throwsAsync(always.coming, { code: 'TRANSFER_DAMAGED' })
  t.deepEqual(readdirSync(always.home), [])

  // Stored as it is, by its sum: then it is the archive that is wrong.
  const wrong = Buffer.concat([Buffer.from('no zstd'), content])
  const sha256 = createHash('sha256').update(wrong).digest('hex')
  const damaged = fetched(t, bucketOf(wrong, metadataOf({ ...archive, sha256 }), [sound]).bucket, wrong)
  await t.throwsAsync(damaged.coming, { code: 'DAMAGED' })
  t.deepEqual(readdirSync(damaged.home), [])
})

test('an archive of other tools, which says nothing of itself, is fetched too', async (t) => {
  const { content, facts } = await stored(t)
  const plain = content.subarray(0, content.length - encodeFooter(facts).length)
  const { home, coming } = fetched(t, bucketOf(plain, {}, [cut, sound]).bucket, plain)
  t.is((await coming).contentDigest, facts.contentDigest)
  t.deepEqual(readdirSync(home), ['back.bin'])
})

test('it stops when it is told to, and leaves nothing', async (t) => {
  const archive = await stored(t)
  const stop = new AbortController()
  const never = bucketOf(archive.content, metadataOf(archive), [sound])
  const body = (async function* () {
    yield archive.content.subarray(0, 700)
    stop.abort()
    await new Promise((resolve) => setTimeout(resolve, 5))
  })()
  never.bucket.read = async () => ({
    body,
    total: archive.bytes,
    tag: '"1"',
    md5: undefined,
    metadata: {},
    close: () => undefined,
  })
  const { home, coming } = fetched(t, never.bucket, archive.content, stop.signal)
  await t.throwsAsync(coming, { code: 'CANCELLED' })
  t.deepEqual(readdirSync(home), [])
})

test('nothing that is there is overwritten', async (t) => {
  const archive = await stored(t)
  const { bucket } = bucketOf(archive.content, metadataOf(archive), [sound])
  const { home, coming } = fetched(t, bucket, archive.content)
  await coming
  const again = fetchArchive(bucket, 'a', {
    world: world(),
    patience: { attempt: 60_000, whole: 600_000 },
    signal: new AbortController().signal,
    out: join(home, 'back.bin'),
    durable: true,
    readEnd: async () => archive.content,
    files: world().files,
  })
  await t.throwsAsync(again, { code: 'OUTPUT_EXISTS' })
})
