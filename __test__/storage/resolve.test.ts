/** `list`, and the archives of a bucket that a merge needs. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { run } from '../../src/cli.js'
import type { Library } from '../../src/commands/base.js'
import { isBucketUrl } from '../../src/commands/options.js'
import { clock, machine } from '../../src/effects.js'
import { locate } from '../../src/storage/location.js'
import { choose, resolveArchives } from '../../src/storage/resolve.js'
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

const keys = (archives: StoredArchive[]) => choose(archives).map(({ key }) => key)

test('of one input the complete archive is enough; of others all that differ are needed', (t) => {
  t.deepEqual(keys([stored('1', 3, false), stored('2', 9, true), stored('3', 9, true)]), ['2'])
  t.deepEqual(
    keys([stored('1', 3, false), stored('2', 5, false), stored('3', 5, false, { contentDigest: '2' })]),
    ['1', '2'],
  )
  const other = { input: { name: 'b', sha256: 'y' } }
  t.deepEqual(keys([stored('1', 3, true), stored('2', 3, true, other)]), ['1', '2'])
  t.deepEqual(keys([{ ...stored('1', 3, true), facts: undefined }, stored('2', 3, true, { input: null })]), [
    '1',
    '2',
  ])
  // What holds the best only adds nothing to a list of all, but is all there is where there is none.
  t.deepEqual(keys([stored('1', 3, false), stored('2', 1, false, { top: 1 })]), ['1'])
  t.deepEqual(keys([stored('1', 5, false, { top: 5 }), stored('2', 1, false, { top: 1 })]), ['1'])
  // Two shards may both hold nothing: each is needed to know that none is missing.
  const [first, second] = ['1/2', '2/2'].map((shard) => ({ contentDigest: 'same', shards: [shard] }))
  t.deepEqual(
    keys([stored('1', 0, false, first), stored('2', 0, false, second), stored('3', 0, false, second)]),
    ['1', '2'],
  )
})

const storageWorld = { files: machine.files, ...clock }

test('the archives of a bucket are brought here, and only those that are needed', async (t) => {
  const { io, env, url } = place(t)
  const a = await realArchive(t)
  await io.uploadArchive(a, { inputName: 'books/a' })
  await io.uploadArchive(a, { inputName: 'books/a' })
  await io.uploadArchive(await realArchive(t, manySquares(4), 'b'), { inputName: 'c' })
  const directory = temporary(t)
  const all = await resolveArchives(url, { env, world: storageWorld, directory })
  t.is(all.length, 2)
  t.deepEqual(readdirSync(directory).sort(), ['0.bin', '1.bin'])
  const some = await resolveArchives('s3://fold-archives/c', {
    env,
    world: storageWorld,
    directory: temporary(t),
  })
  t.is(some.length, 1)
  t.regex(some[0]?.url ?? '', /\/fold-archives\/c_\d+\.tar\.zst$/)
  const none = resolveArchives('s3://fold-archives/none', {
    env,
    world: storageWorld,
    directory: temporary(t),
  })
  await t.throwsAsync(none, { code: 'INPUT_NOT_FOUND' })
})

test('a bucket is named by s3:// or by a directory', async (t) => {
  const { path, env, url } = place(t)
  const at = async (text: string) => {
    const { io, prefix } = await locate(text, env, storageWorld)
    return [io.archives().url, io.inputs().url, prefix]
  }
  const directory = join(path, 'fold-archives')
  t.deepEqual(await at('s3://fold-archives/some/prefix'), [directory, directory, 'some/prefix'])
  for (const text of [url, url.slice(0, -1), 's3://fold-archives', 's3://fold-archives/']) {
    t.deepEqual(await at(text), [directory, directory, ''], text)
  }
  t.deepEqual(await at(`${url}c%20d`), [directory, directory, 'c d'])
  t.deepEqual(await at('file:///x/Not There/'), ['/x/Not There', '/x/Not There', ''])
  for (const text of ['file:///', 'file://host/x', 'file:///%', 's3://', 'file:///x']) {
    await t.throwsAsync(at(text), { code: 'INVALID_ARGUMENT' }, text)
  }
  t.true(isBucketUrl(url) && isBucketUrl('s3://x') && !isBucketUrl('a.bin'))
})
