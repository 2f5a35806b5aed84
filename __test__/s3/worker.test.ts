/** The built worker against a real S3 server: with a restricted key, with presigned URLs, and through bad weather. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { decompressArchive } from '../../src/archiving/decompress.js'
import { S3IO } from '../../src/storage/s3-io.js'
import { bucketLife } from '../support/bucket-life.js'
import { collect } from '../support/compressed-archives.js'
import { environment, faultyProxy, s3Server, s3Test as test } from '../support/s3-server.js'
import { SQUARE, manySquares, word } from '../support/texts.js'
import { temporary } from '../support/world.js'
import { BIN, canMount, shell } from '../support/program.js'

interface Ended {
  code: number | null
  out: string
}

function start(env: Record<string, string>, before: string[] = []) {
  const [program = process.execPath, ...args] = [...before, process.execPath, BIN, '--mode', 'cloud-worker']
  const child = spawn(program, args, { env: { PATH: process.env['PATH'], ...env } })
  const ended: Ended = { code: null, out: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (ended.out += text.toString()))
  const end = new Promise<Ended>((done) => child.on('close', (code) => done({ ...ended, code })))
  return { child, end, said: () => ended.out }
}

async function said({ said: log }: ReturnType<typeof start>, words: string): Promise<void> {
  while (!log().includes(words)) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** All bytes of all files below a directory. */
function everything(path: string): string {
  return readdirSync(path, { recursive: true })
    .map((name) => join(path, String(name)))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('')
}

test.serial('with a key for the two buckets alone, and no secret anywhere afterwards', async (t) => {
  const server = await s3Server(t)
  const user = { accessKeyId: 'planted-access', secretAccessKey: 'planted-secret' }
  await server.addUser(user.accessKeyId, user.secretAccessKey)
  const policy = JSON.parse(readFileSync('deploy/policy.json', 'utf8')) as Record<string, object[]>
  for (const bucket of ['fold-input', 'fold-archives']) {
    const text = JSON.stringify(policy[bucket]).replaceAll('WORKER', 'planted-access')
    await server.policy(bucket, JSON.parse(text) as object[])
  }
  await server.put('fold-input', 'a b+%.txt', manySquares(30))
  const state = temporary(t)
  const env = { ...environment(server.endpoint, user), LOCAL_STATE_DIR: state, INPUT_FILE: 'a b+%.txt' }
  const scratch = temporary(t)
  const worker = start({ ...env, TMPDIR: scratch })
  const watched = new Set<string>()
  const watching = setInterval(() => watched.add(shell('ps -eo args').out), 50)
  const { code, out } = await worker.end
  clearInterval(watching)
  t.is(code, 0, out)
  t.regex(out, /"checked":"head"/)
  t.true([...watched].some((list) => list.includes('--mode cloud-worker')))
  const archive = join(temporary(t), 'archive.tar.zst')
  const [stored] = await collect(S3IO.fromEnv(environment(server.endpoint)).listArchives())
  t.like(stored, { inputName: 'a b+%', facts: { complete: true } })
  await S3IO.fromEnv(environment(server.endpoint)).downloadArchive(stored?.key ?? '', archive)
  await decompressArchive(archive, { out: join(archive, '../archive.bin') })
  for (const [what, text] of Object.entries({
    log: out,
    'process list': [...watched].join(''),
    archive: everything(join(archive, '..')),
    'state directory': everything(state),
    'temporary files': everything(scratch),
    metadata: JSON.stringify(stored),
  })) {
    t.false(/planted-(?:access|secret)/.test(text), what)
  }
  const failed = await start({ ...env, DO_SPACES_SECRET_KEY: 'planted-wrong' }).end
  t.is(failed.code, 24)
  t.false(/planted-/.test(failed.out + everything(state)))
})

test.serial('with presigned URLs and no key', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'a.txt', SQUARE)
  await server.put('fold-input', 'b.txt', manySquares(5))
  const io = S3IO.fromEnv(environment(server.endpoint))
  const urls = await Promise.all(
    ['a', 'b'].map((name) => io.presign(`${name}.txt`, `${name}_1700000000.tar.zst`, 600)),
  )
  const state = temporary(t)
  const env = {
    LOCAL_STATE_DIR: state,
    INPUT_FILE: '["a.txt","b.txt"]',
    FOLD_INPUT_URL: JSON.stringify(urls.map(({ inputUrl }) => inputUrl)),
    FOLD_ARCHIVE_URL: JSON.stringify(urls.map(({ archiveUrl }) => archiveUrl)),
  }
  const { code, out } = await start(env).end
  t.is(code, 0, out)
  t.deepEqual(
    (await collect(io.listArchives())).map(({ key, facts }) => [key, facts?.complete]),
    [
      ['a_1700000000.tar.zst', true],
      ['b_1700000000.tar.zst', true],
    ],
  )
  t.false(/X-Amz-Signature/.test(out + everything(state)))
  t.is((await start(env).end).code, 16)
})

const withNamespaces = canMount ? test.serial : test.serial.skip

withNamespaces('between download and upload it needs no network', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'a.txt', manySquares(40))
  const env = { ...environment(server.endpoint), LOCAL_STATE_DIR: temporary(t), INPUT_FILE: 'a.txt' }
  const first = start(env)
  await said(first, '"phase":"PROCESS","event":"begin"')
  first.child.kill('SIGKILL')
  await first.end
  const alone = { ...env, FOLD_TRANSFER_TIME: '1s' }
  const cut = await start(alone, ['unshare', '-rn']).end
  t.is(cut.code, 26, cut.out)
  t.regex(cut.out, /"phase":"DOWNLOAD","event":"end","input":"a.txt","resumed":true/)
  t.regex(cut.out, /"phase":"PROCESS","event":"end","input":"a.txt","orthos":\d+,"complete":true/)
  t.is((await start(env).end).code, 0)
  t.is((await collect(S3IO.fromEnv(environment(server.endpoint)).listArchives())).length, 1)
})

test.serial('an input of a gigabyte', async (t) => {
  const server = await s3Server(t)
  const line = `${Array.from({ length: 2000 }, (_, n) => word(n)).join(' ')}.\n`
  const file = join(temporary(t), 'large.txt')
  const handle = openSync(file, 'w')
  const block = line.repeat(1000)
  for (let bytes = 0; bytes < 1e9; bytes += block.length) writeSync(handle, block)
  closeSync(handle)
  const { size: bytes } = statSync(file)
  const io = S3IO.fromEnv({ ...environment(server.endpoint), FOLD_TRANSFER_TIME: '10m' })
  const sum = createHash('sha256')
  for await (const chunk of createReadStream(file)) sum.update(chunk as Buffer)
  t.is(await io.uploadInput('large.txt', { path: file, bytes, sha256: sum.digest('hex') }), 'created')
  rmSync(file)
  const env = { ...environment(server.endpoint), LOCAL_STATE_DIR: temporary(t), INPUT_FILE: 'large.txt' }
  const { code, out } = await start({ ...env, FOLD_TRANSFER_TIME: '10m', FOLD_MEMORY: '256M' }).end
  t.is(code, 0, out)
  const [stored] = await collect(io.listArchives())
  t.like(stored, { inputName: 'large', facts: { complete: true } })
})

test.serial('SIGTERM ends it within a minute; started again on the same disk it goes on', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'a.txt', manySquares(150))
  const state = temporary(t)
  const env = {
    ...environment(server.endpoint),
    LOCAL_STATE_DIR: state,
    INPUT_FILE: 'a.txt',
    FOLD_THREADS: '1',
  }
  const worker = start(env)
  await said(worker, '"phase":"PROCESS","event":"begin"')
  await new Promise((r) => setTimeout(r, 500))
  worker.child.kill('SIGTERM')
  const { code, out } = await worker.end
  // What was found is stored if the search can keep it; else the text is kept to be searched again.
  t.true(code === 33 || code === 143 || /"phase":"UPLOAD","event":"end"/.test(out), out)
  const again = await start({ ...env, FOLD_MAX_TIME: '1s' }).end
  t.true(again.code === 0 || again.code === 18, again.out)
})

test.serial('the storage goes away between the download and the upload', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'a.txt', manySquares(30))
  const state = temporary(t)
  const proxy = await faultyProxy(t, server.port)
  const env = {
    ...environment(proxy.endpoint),
    LOCAL_STATE_DIR: state,
    INPUT_FILE: 'a.txt',
    FOLD_TRANSFER_TIME: '2s',
  }
  const worker = start(env)
  await said(worker, '"phase":"PROCESS","event":"begin"')
  await proxy.enable(false)
  const { code, out } = await worker.end
  t.is(code, 26, out)
  t.regex(out, /"event":"retry"/)
  await proxy.enable(true)
  const again = await start(env).end
  t.is(again.code, 0, again.out)
  t.regex(again.out, /"phase":"PROCESS","event":"end","input":"a.txt","resumed":true/)
  const { Contents } = await server.root.send(new ListObjectsV2Command({ Bucket: 'fold-archives' }))
  t.is(Contents?.length, 1)
})

test.serial('a clock that is 20 minutes off is corrected by that of the storage', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'a.txt', SQUARE)
  const state = temporary(t)
  const late = join(temporary(t), 'late.cjs')
  writeFileSync(
    late,
    `const now = Date.now; const Real = Date; const off = ${-20 * 60_000}
    globalThis.Date = class extends Real {
      constructor(...given) { given.length ? super(...given) : super(now() + off) }
      static now() { return now() + off }
    }`,
  )
  const env = { ...environment(server.endpoint), LOCAL_STATE_DIR: state, INPUT_FILE: 'a.txt' }
  const { code, out } = await start({ ...env, NODE_OPTIONS: `--require ${late}` }).end
  t.is(code, 0, out)
  const first = JSON.parse(out.split('\n', 1)[0] ?? '') as { time: string }
  t.true(Date.parse(first.time) < Date.now() - 19 * 60_000)
})

test.serial('a novel goes from a file to merged archives in the buckets', async (t) => {
  const server = await s3Server(t)
  await server.root.send(new CreateBucketCommand({ Bucket: 'fold-shards' }))
  bucketLife(t, environment(server.endpoint))
})
