/** `list`, and the archives of a bucket that a merge needs. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { run } from '../../src/cli.js'
import type { Library } from '../../src/commands/base.js'
import { bucketOf, choose, isBucketUrl, resolveArchives } from '../../src/storage/resolve.js'
import { S3IO, type StoredArchive } from '../../src/storage/s3-io.js'
import { pretendedArchive, realArchive } from '../support/compressed-archives.js'
import { manySquares } from '../support/texts.js'
import { temporary, world } from '../support/world.js'

function place(t: ExecutionContext<unknown>) {
  const path = join(temporary(t), 'spaces with space')
  for (const bucket of ['fold-input', 'fold-archives']) mkdirSync(join(path, bucket), { recursive: true })
  const env = { DO_SPACES_ENDPOINT: `file://${encodeURI(path)}` }
  return { path, env, io: S3IO.fromEnv(env), url: `file://${encodeURI(path)}/fold-archives/` }
}

const noLibrary = () => Promise.reject<Library>(new Error('not to be loaded'))

async function command(env: Record<string, string>, ...args: string[]) {
  const it = world({ args, env })
  const code = await run(it, noLibrary)
  return { code, out: it.out, err: it.err }
}

test('list shows which inputs still lack a complete archive', async (t) => {
  const { path, env, io } = place(t)
  for (const name of ['a', 'b', 'c d']) writeFileSync(join(path, 'fold-input', `${name}.txt`), 'text')
  await io.uploadArchive(pretendedArchive(t, 10, { orthoCount: 1234 }), { inputName: 'a' })
  const part = { input: { name: 'b', sha256: 'b'.repeat(64) }, complete: false, limits: ['maxTime'] }
  await io.uploadArchive(pretendedArchive(t, 10, part), { inputName: 'b' })
  const inputs = await command(env, 'list')
  t.is(inputs.code, 0, inputs.err)
  t.regex(inputs.out, /^a\.txt {2}4 bytes {2}complete, 1,234 orthos$/m)
  t.regex(inputs.out, /^b\.txt {2}4 bytes {2}incomplete, 3 orthos$/m)
  t.regex(inputs.out, /^c d\.txt {2}4 bytes {2}no archive$/m)
  t.regex(inputs.out, /^3 inputs, 2 without a complete archive$/m)
  const missing = (await command(env, 'list', 'inputs', '--missing', '--json')).out.trim().split('\n')
  t.deepEqual(
    missing.map((line) => (JSON.parse(line) as { key: string }).key),
    ['b.txt', 'c d.txt'],
  )
  const archives = await command(env, 'list', 'archives')
  t.regex(archives.out, /^a_\d+\.tar\.zst {2}\d+ bytes {2}1,234 orthos, complete$/m)
  t.regex(archives.out, /^b_\d+\.tar\.zst {2}\d+ bytes {2}3 orthos, incomplete \(maxTime\)$/m)
  t.is((await command(env, 'list', 'other')).code, 2)
  t.is((await command({}, 'list')).code, 23)
})

function stored(key: string, orthoCount: number, complete: boolean, more: object = {}): StoredArchive {
  const facts = {
    sha256: '',
    unpackedBytes: 0,
    program: '',
    input: { name: 'a', sha256: 'x' },
    orthoCount,
    complete,
    shards: [],
    limits: [],
    contentDigest: key,
    ...more,
  }
  return { key, bytes: 1, modified: 0, timestamp: 0, inputName: 'a', facts }
}

const keys = (archives: StoredArchive[]) => choose(archives).map(({ archive }) => archive.key)

test('of one input the complete archive is enough; of others all that differ are needed', (t) => {
  t.deepEqual(keys([stored('1', 3, false), stored('2', 9, true), stored('3', 9, true)]), ['2'])
  t.deepEqual(
    keys([stored('1', 3, false), stored('2', 5, false), stored('3', 5, false, { contentDigest: '2' })]),
    ['2', '1'],
  )
  const other = { input: { name: 'b', sha256: 'y' } }
  t.deepEqual(keys([stored('1', 3, true), stored('2', 3, true, other)]), ['1', '2'])
  t.deepEqual(keys([{ ...stored('1', 3, true), facts: undefined }, stored('2', 3, true, { input: null })]), [
    '1',
    '2',
  ])
  const same = { contentDigest: 'same' }
  t.deepEqual(keys([stored('1', 3, false, same), stored('2', 3, false, { ...same, shards: ['1/2'] })]), ['2'])
})

test('the archives of a bucket are brought here, and only those that are needed', async (t) => {
  const { io, env, url } = place(t)
  const a = await realArchive(t)
  await io.uploadArchive(a, { inputName: 'books/a' })
  await io.uploadArchive(a, { inputName: 'books/a' })
  await io.uploadArchive(await realArchive(t, manySquares(4), 'b'), { inputName: 'c' })
  const directory = temporary(t)
  const all = await resolveArchives(url, { env, directory })
  t.is(all.length, 2)
  t.is(new Set(all.map(({ group }) => group)).size, 2)
  t.deepEqual(readdirSync(directory).sort(), ['0.bin', '1.bin'])
  const some = await resolveArchives('s3://fold-archives/c', { env, directory: temporary(t) })
  t.deepEqual(
    some.map(({ inputName }) => inputName),
    ['b'],
  )
  const none = resolveArchives('s3://fold-archives/none', { env, directory: temporary(t) })
  await t.throwsAsync(none, { code: 'INPUT_NOT_FOUND' })
  await t.throwsAsync(resolveArchives('file:///', { env, directory }), { code: 'INVALID_ARGUMENT' })
  t.is(bucketOf(`${url}c`, env).prefix, 'c')
  t.true(isBucketUrl(url) && isBucketUrl('s3://x') && !isBucketUrl('a.bin'))
})
