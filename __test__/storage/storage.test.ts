/** Storage without a server of others: names, settings, retries, directories, and presigned URLs at a server that fails. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { FoldError } from '../../src/errors.js'
import { HttpFailure, Interrupted, judge } from '../../src/storage/failures.js'
import { factsOfMetadata, metadataOf } from '../../src/storage/metadata.js'
import { LONGEST_KEY, archiveKey, nameOfInput, parseArchiveKey, shortened } from '../../src/storage/names.js'
import { expiryOf, md5Of } from '../../src/storage/presigned-bucket.js'
import { pauseAfter, retry } from '../../src/storage/retry.js'
import { partSize } from '../../src/storage/s3-bucket.js'
import { S3IO, parseInput } from '../../src/storage/s3-io.js'
import { storageSettings, texts } from '../../src/storage/settings.js'
import { collect, pretendedArchive, realArchive } from '../support/compressed-archives.js'
import { systemError, temporary, world } from '../support/world.js'

test('the name of an archive says of which input, shard and second it is', (t) => {
  t.is(archiveKey({ inputName: 'books/a', shard: undefined, timestamp: 17 }), 'books/a_17.tar.zst')
  t.is(
    archiveKey({ inputName: 'a', shard: { index: 3, count: 8 }, timestamp: 17 }),
    'a_shard-3-of-8_17.tar.zst',
  )
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 }),
      fc.option(
        fc.record({ index: fc.integer({ min: 1, max: 99 }), count: fc.integer({ min: 1, max: 99 }) }),
        {
          nil: undefined,
        },
      ),
      fc.nat(2 ** 31),
      (inputName, shard, timestamp) => {
        const key = archiveKey({ inputName, shard, timestamp })
        if (Buffer.byteLength(key) < LONGEST_KEY && !inputName.includes('_shard-')) {
          t.deepEqual(parseArchiveKey(key), { inputName, shard, timestamp })
        }
        t.true(Buffer.byteLength(key) <= LONGEST_KEY)
      },
    ),
  )
  for (const key of ['a.tar.zst', '_1.tar.zst', 'a_1.tar', 'a_x.tar.zst'])
    t.is(parseArchiveKey(key), undefined)
})

test('an input is called by its key less .txt', (t) => {
  t.is(nameOfInput('a/b.c.txt'), 'a/b.c')
  t.is(nameOfInput('README'), 'README')
  t.deepEqual(parseInput('s3://bucket/a/b.txt'), { bucket: 'bucket', key: 'a/b.txt' })
  t.deepEqual(parseInput('/s3://x'), { bucket: undefined, key: '/s3://x' })
})

test('long names are cut between characters and stay different', (t) => {
  const [a, b] = ['ü'.repeat(600) + 'a', 'ü'.repeat(600) + 'b'].map((text) => shortened(text, 1000))
  t.not(a, b)
  for (const text of [a, b]) t.true(Buffer.byteLength(text ?? '') <= 1000 && !text?.includes('\ufffd'))
})

test('facts go through metadata, which is ASCII', (t) => {
  const archive = pretendedArchive(t, 10, {
    input: { name: 'ü "x"\n日', sha256: 'd'.repeat(64) },
    shards: ['1/2'],
  })
  const metadata = metadataOf(archive)
  t.true(Object.entries(metadata).every(([name, value]) => /^[\x20-\x7e]*$/.test(name + value)))
  t.deepEqual(factsOfMetadata(metadata), archive.facts)
  t.is(factsOfMetadata({}), undefined)
  t.is(factsOfMetadata({ ...metadata, 'fold-complete': 'maybe' }), undefined)
  const long = metadataOf(
    pretendedArchive(t, 10, { input: { name: 'ü'.repeat(500), sha256: 'd'.repeat(64) } }),
  )
  t.true(JSON.stringify(long).length < 2000)
  t.is(factsOfMetadata(long), undefined)
})

test('parts are never more than a server takes', (t) => {
  t.is(partSize(1), 8 << 20)
  for (const bytes of [1e9, 1e12, 5e12]) t.true(Math.ceil(bytes / partSize(bytes)) <= 10_000)
})

const SECRET = 'planted-secret'

test('all that is wrong with the environment is said at once, by name and never by value', (t) => {
  const problems: string[] = []
  t.is(
    storageSettings(
      {
        DO_SPACES_ENDPOINT: `http://user:${SECRET}@example.com`,
        DO_SPACES_REGION: `${SECRET} x`,
        DO_SPACES_ACCESS_KEY: `${SECRET} x`,
        DO_SPACES_INPUT_BUCKET: `${SECRET}/../`,
        FOLD_TRANSFER_TIME: SECRET,
      },
      problems,
    ),
    undefined,
  )
  for (const name of ['ENDPOINT', 'REGION', 'ACCESS_KEY', 'SECRET_KEY', 'INPUT_BUCKET', 'TRANSFER_TIME']) {
    t.true(
      problems.some((problem) => problem.includes(name)),
      name,
    )
  }
  t.false(problems.join('').includes(SECRET))
  const error = t.throws(() => S3IO.fromEnv({}), { code: 'ENVIRONMENT_INVALID' })
  t.regex(error.message, /DO_SPACES_ENDPOINT[^]*DO_SPACES_ACCESS_KEY[^]*DO_SPACES_SECRET_KEY/)
})

const KEYS = { DO_SPACES_ACCESS_KEY: 'a', DO_SPACES_SECRET_KEY: 'b' }
for (const [env, wanted] of [
  [
    { ...KEYS, DO_SPACES_REGION: 'nyc3' },
    { kind: 's3', endpoint: 'https://nyc3.digitaloceanspaces.com', region: 'nyc3' },
  ],
  [
    { ...KEYS, DO_SPACES_ENDPOINT: 'ams3.example.com/' },
    { endpoint: 'https://ams3.example.com', region: 'us-east-1' },
  ],
  [{ ...KEYS, DO_SPACES_ENDPOINT: 'http://127.0.0.1:7070' }, { endpoint: 'http://127.0.0.1:7070' }],
  [{ ...KEYS, DO_SPACES_ENDPOINT: 'http://[::1]:7070' }, { endpoint: 'http://[::1]:7070' }],
  [{ ...KEYS, DO_SPACES_ENDPOINT: 'http://10.0.0.1', FOLD_ALLOW_HTTP: '1' }, { endpoint: 'http://10.0.0.1' }],
  [{ ...KEYS, DO_SPACES_ENDPOINT: 'http://10.0.0.1' }, undefined],
  [{ ...KEYS, DO_SPACES_ENDPOINT: 'http://127.0.0.1.example.com' }, undefined],
  [{ ...KEYS, DO_SPACES_ENDPOINT: 'http://localhost.example.com' }, undefined],
  [{ DO_SPACES_ENDPOINT: 'file:///srv/a%20b' }, { kind: 'directory', path: '/srv/a b' }],
  [{ DO_SPACES_ENDPOINT: 'file://host/srv' }, undefined],
  [{ ...KEYS, DO_SPACES_ENDPOINT: 'ftp://x' }, undefined],
  [
    { FOLD_INPUT_URL: 'https://x/a', FOLD_ARCHIVE_URL: 'https://x/b' },
    { kind: 'presigned', inputs: ['https://x/a'] },
  ],
  [{ FOLD_INPUT_URL: '["https://x/a","https://x/b"]', FOLD_ARCHIVE_URL: 'https://x/b' }, undefined],
  [{ FOLD_INPUT_URL: 'http://x/a', FOLD_ARCHIVE_URL: 'https://x/b' }, undefined],
  [{ FOLD_INPUT_URL: 'https://x/a' }, undefined],
] as const) {
  test(`settings from ${JSON.stringify(env)}`, (t) => {
    const settings = storageSettings(env, [])
    if (wanted) t.like(settings, wanted)
    else t.is(settings, undefined)
  })
}

test('one text or a list of them', (t) => {
  t.deepEqual(texts('a'), ['a'])
  t.deepEqual(texts('["a","b"]'), ['a', 'b'])
  t.deepEqual(texts('[draft].txt'), ['[draft].txt'])
  t.deepEqual(texts('[1]'), ['[1]'])
  t.deepEqual(texts(''), [])
})

const kind = (thrown: unknown) => judge(thrown, 'x').kind

test('what can pass is tried again, what cannot is not', (t) => {
  for (const status of [408, 429, 500, 502, 503, 504]) t.is(kind(new HttpFailure(status, '')), 'passing')
  for (const status of [301, 400, 401, 403, 404, 405, 412]) t.is(kind(new HttpFailure(status, '')), 'lasting')
  for (const code of ['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EAI_AGAIN'])
    t.is(kind(systemError(code)), 'passing')
  t.is(kind(new Interrupted('cut')), 'passing')
  t.is(kind(systemError('ENOTFOUND')), 'brief')
  t.is(kind(systemError('CERT_HAS_EXPIRED')), 'lasting')
  t.is(judge(systemError('ENOSPC'), 'x').error.code, 'DISK_FULL')
  t.is(judge(new HttpFailure(403, 'RequestTimeTooSkewed'), 'x').error.code, 'CLOCK_SKEWED')
  t.is(judge(new HttpFailure(404, 'NoSuchBucket'), 'x').error.code, 'BUCKET_NOT_FOUND')
  const quoting = Object.assign(new Error(`bad ${SECRET}`), {
    name: 'SignatureDoesNotMatch',
    $metadata: { httpStatusCode: 403 },
  })
  const { error } = judge(quoting, 'x')
  t.false(`${error.message}${String(error.cause)}`.includes(SECRET))
})

test('pauses double, with a random part left out, up to half a minute', (t) => {
  t.deepEqual(
    [1, 2, 3, 20].map((n) => pauseAfter(n, 0)),
    [500, 1000, 2000, 30_000],
  )
  t.is(pauseAfter(1, 0.5), 375)
})

test('retries end with success, with what cannot pass, or with the time', async (t) => {
  const it = world()
  const options = {
    world: it,
    patience: { attempt: 1e6, whole: 60_000 },
    signal: new AbortController().signal,
  }
  let attempts = 0
  const after = (failures: number, error: Error) => async () => {
    attempts += 1
    if (attempts <= failures) throw error
    return attempts
  }
  t.is(await retry('x', after(3, new HttpFailure(503, '')), options), 4)
  attempts = 0
  await t.throwsAsync(retry('x', after(3, new HttpFailure(403, '')), options), { code: 'STORAGE_DENIED' })
  t.is(attempts, 1)
  attempts = 0
  it.clock = 0
  const given = await t.throwsAsync(retry('x', after(99, systemError('ECONNREFUSED')), options))
  t.regex(given.message, /x failed[^]*given up after 7 attempts/)
  t.true(it.clock <= 60_000)
  attempts = 0
  await t.throwsAsync(retry('x', after(99, systemError('ENOTFOUND')), options), {
    code: 'STORAGE_UNAVAILABLE',
  })
  t.is(attempts, 5)
  const stop = new AbortController()
  const aborting = retry('x', () => Promise.reject(new HttpFailure(503, '')), {
    ...options,
    signal: stop.signal,
    onRetry: () => stop.abort(),
  })
  await t.throwsAsync(aborting, { code: 'CANCELLED' })
  const slow = retry(
    'x',
    () => new Promise<never>((_, reject) => setTimeout(reject, 50, new Error('too late'))),
    {
      ...options,
      patience: { attempt: 5, whole: 600 },
      world: { ...it, now: () => it.clock },
    },
  )
  await t.throwsAsync(slow, { code: 'STORAGE_UNAVAILABLE' })
})

function home(t: ExecutionContext<unknown>, env: Record<string, string> = {}) {
  const path = temporary(t)
  for (const bucket of ['fold-input', 'fold-archives']) mkdirSync(join(path, bucket))
  return { path, io: S3IO.fromEnv({ DO_SPACES_ENDPOINT: `file://${path}`, ...env }) }
}

test('a directory does what a bucket does', async (t) => {
  const { path, io } = home(t)
  mkdirSync(join(path, 'fold-input/books'))
  for (const name of ['b.txt', 'books/a ü+%.txt', 'other.md'])
    writeFileSync(join(path, 'fold-input', name), name)
  symlinkSync('/etc/passwd', join(path, 'fold-input/link.txt'))
  t.deepEqual(
    (await collect(io.listInputs())).map(({ key }) => key),
    ['b.txt', 'books/a ü+%.txt'],
  )
  t.deepEqual(
    (await collect(io.listInputs('books/'))).map(({ name }) => name),
    ['books/a ü+%'],
  )
  const to = join(temporary(t), 'x')
  await io.downloadInput('books/a ü+%.txt', to)
  t.is(readFileSync(to, 'utf8'), 'books/a ü+%.txt')
  for (const key of [
    '../x.txt',
    '/etc/passwd',
    'a//b',
    'link.txt',
    'books',
    'missing.txt',
    'x'.repeat(300),
  ]) {
    const refused = await t.throwsAsync(io.downloadInput(key, to))
    t.regex(String((refused as FoldError).code), /INVALID_ARGUMENT|INPUT_NOT_FOUND/)
  }
  const archive = await realArchive(t)
  const stored = await io.uploadArchive(archive, { inputName: 'books/a', shard: { index: 1, count: 2 } })
  t.regex(stored.key, /^books\/a_shard-1-of-2_\d+\.tar\.zst$/)
  t.is(stored.checked, 'head')
  const [found] = await collect(io.listArchives())
  t.like(found, { key: stored.key, inputName: 'a', facts: { orthoCount: 1 } })
  t.is((await io.downloadArchive(stored.key, to)).sha256, archive.sha256)
  t.deepEqual(readdirSync(join(path, 'fold-archives/books')), [stored.key.slice('books/'.length)])
})

test('many that end in the same second all keep their archive', async (t) => {
  const { path } = home(t)
  const frozen = { ...world(), sleep: async () => undefined }
  const io = S3IO.fromEnv({ DO_SPACES_ENDPOINT: `file://${path}` }, { world: frozen })
  const archives = Array.from({ length: 10 }, () => pretendedArchive(t, 100))
  const stored = await Promise.all(archives.map((archive) => io.uploadArchive(archive, { inputName: 'a' })))
  t.is(new Set(stored.map(({ key }) => key)).size, 10)
  t.is((await collect(io.listArchives())).length, 10)
})

test('a bucket that is not there is named, and not made', async (t) => {
  const { path, io } = home(t, { DO_SPACES_ARCHIVE_BUCKET: 'mistyped', DO_SPACES_INPUT_BUCKET: 'mistyped' })
  await t.throwsAsync(collect(io.listInputs()), { code: 'BUCKET_NOT_FOUND' })
  await t.throwsAsync(io.uploadArchive(pretendedArchive(t, 10), { inputName: 'a' }), {
    code: 'BUCKET_NOT_FOUND',
  })
  t.false(existsSync(join(path, 'mistyped')))
})

test('a full disk is noticed before and while something is written', async (t) => {
  const { path } = home(t)
  writeFileSync(join(path, 'fold-input/a.txt'), 'text')
  const full = world({
    files: { statfs: (async () => ({ bavail: 1, bsize: 1 })) as unknown as typeof fs.statfs },
  })
  const to = join(temporary(t), 'x')
  const env = { DO_SPACES_ENDPOINT: `file://${path}` }
  await t.throwsAsync(S3IO.fromEnv(env, { world: full }).downloadInput('a.txt', to), { code: 'DISK_FULL' })
  const linkless = world({ files: { link: () => Promise.reject(systemError('ENOSPC')) } })
  const io = S3IO.fromEnv(env, { world: linkless })
  await t.throwsAsync(io.uploadArchive(pretendedArchive(t, 10), { inputName: 'a' }))
  t.deepEqual(readdirSync(join(path, 'fold-archives')), [])
})

/** A server that answers the n-th request by the n-th function, and the last one from then on. */
async function server(
  t: ExecutionContext<unknown>,
  ...answers: ((request: IncomingMessage, response: ServerResponse, body: Buffer) => void)[]
) {
  let requests = 0
  const listening = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    const answer = answers[Math.min(requests, answers.length - 1)]
    requests += 1
    request.on('end', () => answer?.(request, response, Buffer.concat(chunks)))
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  t.teardown(() => listening.closeAllConnections())
  t.teardown(() => listening.close())
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/bucket/a?X-Amz-Signature=${SECRET}`
  const it = world()
  const io = S3IO.fromEnv(
    { FOLD_INPUT_URL: url, FOLD_ARCHIVE_URL: url },
    { world: { ...it, time: () => Date.now() } },
  )
  return { io, count: () => requests }
}

const TEXT = randomBytes(500_000)
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')

/** Sends the object as a server does, ranges included. */
const whole = (request: IncomingMessage, response: ServerResponse) => send(request, response)

function send(
  request: IncomingMessage,
  response: ServerResponse,
  sent: Buffer = TEXT,
  total = TEXT.length,
): void {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  response.writeHead(from > 0 ? 206 : 200, {
    etag: `"${md5(TEXT)}"`,
    'content-length': total - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${total - 1}/${total}` }),
  })
  response.end(sent.subarray(from))
}
const cut = (request: IncomingMessage, response: ServerResponse) => {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  response.writeHead(from > 0 ? 206 : 200, {
    etag: `"${md5(TEXT)}"`,
    'content-length': TEXT.length - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${TEXT.length - 1}/${TEXT.length}` }),
  })
  response.write(TEXT.subarray(from, from + 100_000), () => setTimeout(() => response.destroy(), 20))
}
const flipped = (request: IncomingMessage, response: ServerResponse) => {
  const wrong = Buffer.from(TEXT)
  wrong[7] = (wrong[7] ?? 0) ^ 1
  send(request, response, wrong)
}
const away = (request: IncomingMessage) => request.socket.destroy()
const status =
  (code: number, reason = 'X') =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(code).end(`<Error><Code>${reason}</Code><Message>${SECRET}</Message></Error>`)
  }

for (const [what, answers, requests] of [
  ['is well', [whole], 1],
  ['breaks off twice', [cut, cut, whole], 3],
  ['flips a bit once', [flipped, whole], 2],
  ['is overloaded', [status(503), status(500), status(429), whole], 4],
  ['resets', [(request: IncomingMessage) => request.socket.destroy(), whole], 2],
  [
    'ends too early as if all were there',
    [(r: IncomingMessage, s: ServerResponse) => send(r, s, TEXT.subarray(0, 1000), 1000), whole],
    2,
  ],
  [
    'knows no ranges',
    [
      cut,
      (_: IncomingMessage, s: ServerResponse) =>
        s.writeHead(200, { 'content-length': TEXT.length }).end(TEXT),
      (_: IncomingMessage, s: ServerResponse) =>
        s.writeHead(200, { 'content-length': TEXT.length }).end(TEXT),
    ],
    3,
  ],
  ['has another object by then', [cut, status(412), whole], 3],
  // Half a second, doubling to half a minute: 26 pauses are more than ten minutes.
  ['is down for ten minutes', [...Array.from({ length: 26 }, () => away), whole], 27],
] as const) {
  test(`a download comes through when the server ${what}`, async (t) => {
    const { io, count } = await server(t, ...answers)
    const to = join(temporary(t), 'x')
    await io.downloadInput('a', to)
    t.deepEqual(readFileSync(to), TEXT)
    t.is(count(), requests)
  })
}

for (const [what, answer, code] of [
  ['always flips a bit', flipped, 'TRANSFER_DAMAGED'],
  ['denies', status(403, 'AccessDenied'), 'STORAGE_DENIED'],
  ['has nothing', status(404, 'NoSuchKey'), 'INPUT_NOT_FOUND'],
  ['has no such bucket', status(404, 'NoSuchBucket'), 'BUCKET_NOT_FOUND'],
  ['is down', (request: IncomingMessage) => request.socket.destroy(), 'STORAGE_UNAVAILABLE'],
  [
    'talks nonsense',
    (request: IncomingMessage) => request.socket.end('nonsense\r\n\r\n'),
    'STORAGE_UNAVAILABLE',
  ],
] as const) {
  test(`a download ends in ${code} when the server ${what}`, async (t) => {
    const { io } = await server(t, answer)
    const directory = temporary(t)
    const error = await t.throwsAsync(io.downloadInput('a', join(directory, 'x')), { code })
    t.true(error instanceof FoldError)
    t.false(`${error.message}${String(error.cause)}`.includes(SECRET))
    t.false(existsSync(join(directory, 'x')))
  })
}

test('an archive is stored once, also when the answer is lost', async (t) => {
  const stored: Buffer[] = []
  const keep = (_: IncomingMessage, response: ServerResponse, body: Buffer) => {
    stored.push(body)
    response.destroy()
  }
  const { io } = await server(t, keep, status(412))
  const archive = pretendedArchive(t, 300_000)
  t.is((await io.uploadArchive(archive, { inputName: 'a' })).checked, 'answer')
  t.deepEqual(stored, [readFileSync(archive.path)])
  const taken = await server(t, status(412))
  await t.throwsAsync(taken.io.uploadArchive(archive, { inputName: 'a' }), { code: 'ARCHIVE_EXISTS' })
  t.true(existsSync(archive.path))
  await t.throwsAsync(collect(taken.io.listInputs()), { code: 'INVALID_ARGUMENT' })
})

test('what presigned URLs and tags say of themselves', (t) => {
  t.is(expiryOf('https://x/a?X-Amz-Date=20260102T030405Z&X-Amz-Expires=60'), Date.UTC(2026, 0, 2, 3, 5, 5))
  t.is(expiryOf('https://x/a'), undefined)
  t.is(md5Of(`"${'a'.repeat(32)}"`, undefined), 'a'.repeat(32))
  t.is(md5Of(`"${'a'.repeat(32)}-3"`, undefined), undefined)
  t.is(md5Of(`"${'a'.repeat(32)}"`, 'aws:kms'), undefined)
})
