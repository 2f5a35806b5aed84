/** Storage against a real S3 server. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { decompressArchive } from '../../src/archiving/decompress.js'
import { clock, machine } from '../../src/effects.js'
import { metadataOf } from '../../src/storage/metadata.js'
import { S3IO } from '../../src/storage/s3-io.js'
import { bulkyArchive, collect, pretendedArchive, realArchive } from '../support/compressed-archives.js'
import { environment, faultyProxy, s3Server, s3Test as test } from '../support/s3-server.js'
import { temporary } from '../support/world.js'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function frozen(seconds: number) {
  return { files: machine.files, ...clock, time: () => seconds * 1000 }
}

test('an archive goes there and back, is found, and is checked', async (t) => {
  const server = await s3Server(t)
  const io = S3IO.fromEnv(environment(server.endpoint))
  const archive = await realArchive(t)
  const stored = await io.uploadArchive(archive, { inputName: 'books/a' })
  t.regex(stored.url, /^s3:\/\/fold-archives\/books\/a_\d{10}\.tar\.zst$/)
  t.is(stored.checked, 'head')
  const [found] = await collect(io.listArchives())
  t.deepEqual(found?.facts, archive.facts)
  t.is(found?.key, stored.key)
  const to = join(temporary(t), 'back.tar.zst')
  t.is((await io.downloadArchive(stored.key, to)).sha256, archive.sha256)
  const unpacked = await decompressArchive(to, { out: join(temporary(t), 'back.bin') })
  t.is(unpacked.contentDigest, archive.facts.contentDigest)
  const fetched = await io.fetchArchive(stored.key, join(temporary(t), 'fetched.bin'))
  t.deepEqual({ ...fetched, archive: '' }, { ...unpacked, archive: '' })
  const { Metadata } = await server.root.send(
    new HeadObjectCommand({ Bucket: 'fold-archives', Key: stored.key }),
  )
  t.like(Metadata, { 'fold-sha256': archive.sha256, 'fold-complete': 'true', 'fold-orthos': '1' })
})

test('a large archive goes in parts, and nothing of the upload is left', async (t) => {
  const server = await s3Server(t)
  const io = S3IO.fromEnv(environment(server.endpoint))
  const archive = pretendedArchive(t, 70 << 20)
  const stored = await io.uploadArchive(archive, { inputName: 'a' })
  const to = join(temporary(t), 'back')
  t.is((await io.downloadArchive(stored.key, to)).sha256, archive.sha256)
  const { Uploads } = await server.root.send(new ListMultipartUploadsCommand({ Bucket: 'fold-archives' }))
  t.is(Uploads?.length ?? 0, 0)
})

for (const bytes of [1000, 40 << 20]) {
  test(`two workers that end in the same second both keep their archive of ${bytes} bytes`, async (t) => {
    const server = await s3Server(t)
    const archives = [1, 2, 3].map(() => pretendedArchive(t, bytes))
    const stored = await Promise.all(
      archives.map((archive) =>
        S3IO.fromEnv(environment(server.endpoint), { world: frozen(1_700_000_000) }).uploadArchive(archive, {
          inputName: 'a',
        }),
      ),
    )
    t.is(new Set(stored.map(({ key }) => key)).size, 3)
    const io = S3IO.fromEnv(environment(server.endpoint))
    const found = await collect(io.listArchives())
    t.deepEqual(
      found.map(({ facts }) => facts?.sha256).sort(),
      archives.map(({ facts }) => facts.sha256).sort(),
    )
  })
}

test('more than a thousand inputs, and keys of every kind', async (t) => {
  const server = await s3Server(t)
  const keys = [
    ...Array.from({ length: 1005 }, (_, i) => `many/${String(i).padStart(5, '0')}.txt`),
    'with space.txt',
    'a+b.txt',
    '100%.txt',
    '%41.txt',
    'ünï/čödé-日本.txt',
    `quote'"s.txt`,
    'line\nfeed.txt',
    '&<>.txt',
    `${'long/'.repeat(150)}${'n'.repeat(200)}.txt`,
    'not-a-text.bin',
  ]
  for (let i = 0; i < keys.length; i += 50) {
    await Promise.all(keys.slice(i, i + 50).map((key) => server.put('fold-input', key, key)))
  }
  const io = S3IO.fromEnv(environment(server.endpoint))
  const found = (await collect(io.listInputs())).map(({ key }) => key)
  t.deepEqual(found.sort(), keys.filter((key) => key.endsWith('.txt')).sort())
  t.is((await collect(io.listInputs('many/'))).length, 1005)
  const home = temporary(t)
  for (const key of keys.slice(1005)) {
    await io.downloadInput(key, join(home, 'x'))
    t.is(readFileSync(join(home, 'x'), 'utf8'), key)
    const stored = await io.uploadArchive(pretendedArchive(t, 10), { inputName: key.replace(/\.txt$/, '') })
    t.true(Buffer.byteLength(stored.key) <= 1024)
  }
  await io.downloadInput('s3://fold-input/with space.txt', join(home, 'x'))
  await t.throwsAsync(io.downloadInput('s3://fold-other/x.txt', join(home, 'y')), {
    code: 'BUCKET_NOT_FOUND',
  })
  await t.throwsAsync(io.downloadInput('missing.txt', join(home, 'y')), { code: 'INPUT_NOT_FOUND' })
  for (const key of ['../../escaped.txt', '/leading.txt', 'a//b.txt']) {
    const failure = await t.throwsAsync(io.downloadInput(key, join(home, 'y')))
    t.regex(String((failure as { code?: string }).code), /INPUT_NOT_FOUND|STORAGE_FAILED|STORAGE_DENIED/)
  }
  t.false(existsSync(join(home, 'y')))
})

test('wrong keys and a missing bucket are told apart', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'a.txt', 'x')
  const to = join(temporary(t), 'x')
  const env = environment(server.endpoint)
  const failing = async (changes: Record<string, string>, code: string) => {
    const io = S3IO.fromEnv({ ...env, ...changes })
    const error = await t.throwsAsync(io.downloadInput('a.txt', to), { code })
    const said = `${error.message} ${String((error.cause as Error | undefined)?.message)}`
    for (const secret of ['root-secret-planted', 'root-access', 'wrong-key', 'wrong-secret']) {
      t.false(said.includes(secret), said)
    }
    return said
  }
  t.regex(
    await failing({ DO_SPACES_ACCESS_KEY: 'wrong-key' }, 'STORAGE_DENIED'),
    /does not know the access key/,
  )
  t.regex(
    await failing({ DO_SPACES_SECRET_KEY: 'wrong-secret' }, 'STORAGE_DENIED'),
    /secret key does not belong/,
  )
  await failing({ DO_SPACES_INPUT_BUCKET: 'no-such-bucket' }, 'BUCKET_NOT_FOUND')
  const listing = S3IO.fromEnv({ ...env, DO_SPACES_ARCHIVE_BUCKET: 'no-such-bucket' })
  await t.throwsAsync(collect(listing.listArchives()), { code: 'BUCKET_NOT_FOUND' })
  await t.throwsAsync(listing.uploadArchive(pretendedArchive(t, 10), { inputName: 'a' }), {
    code: 'BUCKET_NOT_FOUND',
  })
})

/** What a policy says to allow a worker. */
const allow = (bucket: string, objects: string[], own: string[]) => [
  {
    Effect: 'Allow',
    Principal: { AWS: ['worker'] },
    Action: objects,
    Resource: `arn:aws:s3:::${bucket}/*`,
  },
  ...(own.length > 0
    ? [{ Effect: 'Allow', Principal: { AWS: ['worker'] }, Action: own, Resource: `arn:aws:s3:::${bucket}` }]
    : []),
]

test('a key that may read inputs and write archives is enough, and no more is', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'a.txt', 'text')
  const user = { accessKeyId: 'worker', secretAccessKey: 'worker-secret' }
  await server.addUser(user.accessKeyId, user.secretAccessKey)
  const to = join(temporary(t), 'x')
  const io = S3IO.fromEnv(environment(server.endpoint, user))
  await t.throwsAsync(io.downloadInput('a.txt', to), { code: 'STORAGE_DENIED' })
  await t.throwsAsync(io.uploadArchive(pretendedArchive(t, 10), { inputName: 'a' }), {
    code: 'STORAGE_DENIED',
  })
  await server.policy('fold-input', allow('fold-input', ['s3:GetObject'], ['s3:ListBucket']))
  await server.policy(
    'fold-archives',
    allow('fold-archives', ['s3:PutObject', 's3:AbortMultipartUpload'], []),
  )
  await io.downloadInput('a.txt', to)
  t.is((await collect(io.listInputs())).length, 1)
  for (const bytes of [1000, 40 << 20]) {
    const archive = pretendedArchive(t, bytes)
    const stored = await io.uploadArchive(archive, { inputName: 'a' })
    t.is(stored.checked, 'answer')
    const back = await server.root.send(new GetObjectCommand({ Bucket: 'fold-archives', Key: stored.key }))
    t.is(sha256((await back.Body?.transformToByteArray()) ?? new Uint8Array()), archive.sha256)
  }
  await t.throwsAsync(collect(io.listArchives()), { code: 'STORAGE_DENIED' })
  await server.policy('fold-archives', allow('fold-archives', ['s3:PutObject', 's3:GetObject'], []))
  t.is((await io.uploadArchive(pretendedArchive(t, 10), { inputName: 'b' })).checked, 'head')
})

test('by presigned URLs, without any key', async (t) => {
  const server = await s3Server(t)
  const text = randomBytes(3 << 20)
  await server.put('fold-input', 'a b+ü.txt', text)
  const key = 'a b+ü_1700000000.tar.zst'
  const { inputUrl, archiveUrl } = await S3IO.fromEnv(environment(server.endpoint)).presign(
    'a b+ü.txt',
    key,
    600,
  )
  const io = S3IO.fromEnv({
    FOLD_INPUT_URL: inputUrl,
    FOLD_ARCHIVE_URL: archiveUrl,
    FOLD_TRANSFER_TIME: '5m',
  })
  const to = join(temporary(t), 'x')
  await io.downloadInput('a b+ü.txt', to)
  t.deepEqual(readFileSync(to), text)
  const archive = pretendedArchive(t, 20 << 20)
  const stored = await io.uploadArchive(archive, { inputName: 'a b+ü' })
  t.false(stored.url.includes('Signature'))
  // There already: never overwritten.
  await t.throwsAsync(io.uploadArchive(pretendedArchive(t, 10), { inputName: 'a' }), {
    code: 'ARCHIVE_EXISTS',
  })
  const [found] = await collect(S3IO.fromEnv(environment(server.endpoint)).listArchives())
  t.deepEqual(found?.facts, archive.facts)
  t.is(found?.key, key)

  const late = { ...frozen(Math.floor(Date.now() / 1000) + 1000) }
  const expired = S3IO.fromEnv({ FOLD_INPUT_URL: inputUrl, FOLD_ARCHIVE_URL: archiveUrl }, { world: late })
  await t.throwsAsync(expired.downloadInput('a', to), { code: 'URL_EXPIRED' })
  await t.throwsAsync(expired.uploadArchive(archive, { inputName: 'a' }), { code: 'URL_EXPIRED' })
  const forged = S3IO.fromEnv({ FOLD_INPUT_URL: `${inputUrl}0`, FOLD_ARCHIVE_URL: archiveUrl })
  await t.throwsAsync(forged.downloadInput('a', to), { code: 'STORAGE_DENIED' })
})

test('what is damaged where it is stored is not taken', async (t) => {
  const server = await s3Server(t)
  const io = S3IO.fromEnv(environment(server.endpoint))
  await server.put('fold-archives', 'a_1.tar.zst', 'other bytes', { 'fold-sha256': sha256(Buffer.from('x')) })
  const to = join(temporary(t), 'x')
  await t.throwsAsync(io.downloadArchive('a_1.tar.zst', to), { code: 'TRANSFER_DAMAGED' })
  t.false(existsSync(to))
  const home = temporary(t)
  await t.throwsAsync(io.fetchArchive('a_1.tar.zst', join(home, 'a.bin')), { code: 'TRANSFER_DAMAGED' })
  const archive = await realArchive(t)
  const content = readFileSync(archive.path)
  content[30] = (content[30] ?? 0) ^ 1
  await server.put('fold-archives', 'b_1.tar.zst', content, metadataOf(archive))
  await t.throwsAsync(io.fetchArchive('b_1.tar.zst', join(home, 'b.bin')), { code: 'TRANSFER_DAMAGED' })
  t.deepEqual(readdirSync(home), [])
})

const FAULTS: [string, string, Record<string, number>, ('upstream' | 'downstream')?][] = [
  ['cuts answers after 3 MB', 'limit_data', { bytes: 3_000_000 }],
  ['resets connections', 'reset_peer', { timeout: 300 }],
  ['is slow', 'bandwidth', { rate: 20_000 }],
  ['answers late', 'latency', { latency: 700, jitter: 300 }],
  ['sends in small pieces', 'slicer', { average_size: 5000, size_variation: 1000, delay: 5 }],
  ['cuts requests after 20 MB', 'limit_data', { bytes: 20_000_000 }, 'upstream'],
]
for (const [what, type, attributes, stream] of FAULTS) {
  test.serial(`a transfer comes through when the server ${what}`, async (t) => {
    const server = await s3Server(t)
    const proxy = await faultyProxy(t, server.port)
    const text = randomBytes(10 << 20)
    await server.put('fold-input', 'a.txt', text)
    const io = S3IO.fromEnv({ ...environment(proxy.endpoint), FOLD_TRANSFER_TIME: '5m' })
    await proxy.add(type, attributes, stream)
    const to = join(temporary(t), 'x')
    const archive = pretendedArchive(t, 40 << 20)
    // A connection that is always cut lets nothing large through; it is mended after a while.
    const mend = setTimeout(() => void proxy.clear(), 4000)
    t.teardown(() => clearTimeout(mend))
    await io.downloadInput('a.txt', to)
    t.is(sha256(readFileSync(to)), sha256(text))
    const stored = await io.uploadArchive(archive, { inputName: 'a' })
    const back = await server.root.send(new GetObjectCommand({ Bucket: 'fold-archives', Key: stored.key }))
    t.is(sha256((await back.Body?.transformToByteArray()) ?? new Uint8Array()), archive.sha256)
    const bulky = await bulkyArchive(t)
    await server.put('fold-archives', 'b_1.tar.zst', readFileSync(bulky.path), metadataOf(bulky))
    const home = temporary(t)
    const { contentDigest } = await io.fetchArchive('b_1.tar.zst', join(home, 'b.bin'))
    t.is(contentDigest, bulky.facts.contentDigest)
    t.deepEqual(readdirSync(home), ['b.bin'])
  })
}

test.serial('a server that is away for a while is waited for, one that stays away is an error', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'a.txt', 'text')
  const to = join(temporary(t), 'x')
  await server.stop()
  const io = S3IO.fromEnv(environment(server.endpoint))
  const coming = io.downloadInput('a.txt', to)
  setTimeout(() => void server.start(), 2000)
  await coming
  await server.stop()
  const impatient = S3IO.fromEnv({ ...environment(server.endpoint), FOLD_TRANSFER_TIME: '2s' })
  const archive = pretendedArchive(t, 40 << 20)
  await t.throwsAsync(impatient.uploadArchive(archive, { inputName: 'a' }), { code: 'STORAGE_UNAVAILABLE' })
  await t.throwsAsync(impatient.downloadInput('a.txt', to), { code: 'STORAGE_UNAVAILABLE' })
  t.true(existsSync(archive.path))
})

test.serial('an upload that fails in the middle is given up at the server too', async (t) => {
  const server = await s3Server(t)
  const io = S3IO.fromEnv(environment(server.endpoint))
  const stop = new AbortController()
  const archive = pretendedArchive(t, 200 << 20)
  const uploading = io.uploadArchive(archive, { inputName: 'a', signal: stop.signal })
  const uploads = async () =>
    (await server.root.send(new ListMultipartUploadsCommand({ Bucket: 'fold-archives' }))).Uploads?.length ??
    0
  while ((await uploads()) === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  stop.abort()
  await t.throwsAsync(uploading, { code: 'CANCELLED' })
  t.is(await uploads(), 0)
  t.deepEqual(await collect(io.listArchives()), [])
  const { Contents } = await server.root.send(new ListObjectsV2Command({ Bucket: 'fold-archives' }))
  t.deepEqual(
    Contents?.map(({ Size }) => Size),
    [0],
  )
})

test.serial('a download goes on in another process where it stopped', async (t) => {
  const server = await s3Server(t)
  const text = randomBytes(30 << 20)
  await server.put('fold-input', 'a.txt', text)
  const proxy = await faultyProxy(t, server.port)
  await proxy.add('bandwidth', { rate: 5000 })
  const to = join(temporary(t), 'x')
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 2000)
  await t.throwsAsync(
    S3IO.fromEnv(environment(proxy.endpoint)).downloadInput('a.txt', to, { signal: stop.signal }),
  )
  const begun = readFileSync(`${to}.part`)
  t.true(begun.length > 1 << 20 && begun.length < text.length)
  await server.root.send(new PutObjectCommand({ Bucket: 'fold-input', Key: 'b.txt', Body: 'x' }))
  await S3IO.fromEnv(environment(server.endpoint)).downloadInput('a.txt', to)
  t.is(sha256(readFileSync(to)), sha256(text))
  t.false(existsSync(`${to}.part`))
  // Another object of that name since: from the beginning.
  writeFileSync(`${to}.part`, 'old')
  writeFileSync(`${to}.part.tag`, '"0123"')
  await S3IO.fromEnv(environment(server.endpoint)).downloadInput('a.txt', to)
  t.is(sha256(readFileSync(to)), sha256(text))
})
