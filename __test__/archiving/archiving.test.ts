/** Archives to `.tar.zst` and back: real ones, those of other tools, damaged and hostile ones. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
  chmodSync,
} from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { compress } from '@mongodb-js/zstd'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { Header } from 'tar'
import { compressArchive } from '../../src/archiving/compress.js'
import { decompressArchive, readFooter } from '../../src/archiving/decompress.js'
import { encodeFooter, parseFooter, type ArchiveFacts } from '../../src/archiving/facts.js'
import { tarOf } from '../../src/archiving/tar.js'
import type { ErrorCode } from '../../src/errors.js'
import { search } from '../../src/search.js'
import { SQUARE, manySquares } from '../support/texts.js'
import { systemError, temporary } from '../support/world.js'

async function archive(t: ExecutionContext<unknown>, text = SQUARE, name = 'a') {
  const home = temporary(t)
  const directory = join(home, `${name}.bin`)
  const summary = await search({ text, name }, { out: directory, memory: 2 ** 28, threads: 1 })
  return { home, directory, summary }
}

function tree(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [
        file.slice(path.length),
        createHash('sha256').update(readFileSync(file)).digest('hex'),
      ]),
  )
}

const sh = (cwd: string, command: string) =>
  execFileSync('sh', ['-ec', command], { cwd, stdio: 'pipe' }).toString()

test('an archive comes back as it was, and other tools read it', async (t) => {
  const { home, directory, summary } = await archive(t, manySquares(20))
  const out = join(home, 'a.tar.zst')
  const made = await compressArchive(directory, { out })
  t.is(made.sha256, createHash('sha256').update(readFileSync(out)).digest('hex'))
  t.is(made.bytes, readFileSync(out).length)
  t.like(made.facts, {
    orthoCount: summary.orthoCount,
    complete: true,
    contentDigest: summary.contentDigest,
    input: { name: 'a', sha256: summary.input?.sha256 },
  })
  t.deepEqual((await readFooter(out))?.facts, made.facts)
  const back = await decompressArchive(out, { out: join(home, 'b.bin') })
  t.is(back.contentDigest, summary.contentDigest)
  t.deepEqual(tree(join(home, 'b.bin')), tree(directory))
  mkdirSync(join(home, 'tar'))
  sh(home, 'zstd -qt a.tar.zst && tar --zstd -xf a.tar.zst -C tar')
  t.deepEqual(tree(join(home, 'tar/a.bin')), tree(directory))
  t.deepEqual(readdirSync(home).sort(), ['a.bin', 'a.tar.zst', 'b.bin', 'tar'])
})

test('the same archive gives the same bytes, whatever its times and permissions', async (t) => {
  const { home, directory } = await archive(t)
  await compressArchive(directory, { out: join(home, '1.tar.zst') })
  const copy = join(home, 'copy/a.bin')
  cpSync(directory, copy, { recursive: true })
  utimesSync(join(copy, 'manifest.json'), 1, 1)
  chmodSync(join(copy, 'interner.bin'), 0o600)
  await compressArchive(copy, { out: join(home, '2.tar.zst') })
  t.deepEqual(readFileSync(join(home, '1.tar.zst')), readFileSync(join(home, '2.tar.zst')))
})

test('nothing that is there is overwritten, and nothing half-made is left', async (t) => {
  const { home, directory } = await archive(t)
  const out = join(home, 'a.tar.zst')
  writeFileSync(out, 'mine')
  await t.throwsAsync(compressArchive(directory, { out }), { code: 'OUTPUT_EXISTS' })
  t.is(readFileSync(out, 'utf8'), 'mine')
  const full = { ...fs, link: () => Promise.reject(systemError('ENOSPC')) }
  await t.throwsAsync(compressArchive(directory, { out: join(home, 'b.tar.zst'), files: full }), {
    code: 'DISK_FULL',
  })
  t.deepEqual(readdirSync(home).sort(), ['a.bin', 'a.tar.zst'])
})

test('an archive that is damaged is not packed', async (t) => {
  const { home, directory } = await archive(t)
  writeFileSync(join(directory, 'ranks.bin'), 'short')
  await t.throwsAsync(compressArchive(directory, { out: join(home, 'a.tar.zst') }), { code: 'DAMAGED' })
  t.deepEqual(readdirSync(home), ['a.bin'])
})

for (const command of [
  'tar --zstd -cf x.tar.zst a.bin',
  'tar -cf - a.bin | zstd -q -19 > x.tar.zst',
  'tar -cf - a.bin | zstd -q --long=27 > x.tar.zst',
  'tar -cf - a.bin | zstd -q --ultra -22 > x.tar.zst',
  'tar -cf - a.bin | zstd -q -1 --no-check > x.tar.zst',
  'tar -cf - a.bin | zstd -q -B1M -T2 > x.tar.zst',
  'tar -C a.bin -cf - . | zstd -q > x.tar.zst',
  'cd a.bin && tar -cf - * | zstd -q > ../x.tar.zst',
  'tar --format=posix -cf - ./a.bin | zstd -q > x.tar.zst',
  'tar --format=ustar -cf - a.bin/ | zstd -q > x.tar.zst',
  'tar --format=gnu -b 1 -cf - a.bin | split -b 1000 --filter="zstd -q" - > x.tar.zst',
]) {
  test(`reads what other tools make: ${command}`, async (t) => {
    const { home, directory } = await archive(t, manySquares(20))
    sh(home, command)
    await decompressArchive(join(home, 'x.tar.zst'), { out: join(home, 'b.bin') })
    t.deepEqual(tree(join(home, 'b.bin')), tree(directory))
  })
}

test('names that are long or not ASCII go through tar', async (t) => {
  const { home, directory } = await archive(t, SQUARE, 'x')
  for (const name of [`${'ü'.repeat(60)}.bin`, `${'n'.repeat(180)}.bin`, 'a b"c\'.bin']) {
    const renamed = join(home, name)
    cpSync(directory, renamed, { recursive: true })
    const out = join(home, 'n.tar.zst')
    await fs.rm(out, { force: true })
    await compressArchive(renamed, { out })
    await fs.rm(join(home, 'tar'), { recursive: true, force: true })
    mkdirSync(join(home, 'tar'))
    sh(home, 'tar --zstd -xf n.tar.zst -C tar')
    t.deepEqual(readdirSync(join(home, 'tar')), [name])
    await decompressArchive(out, { out: join(home, 'back.bin') })
    t.deepEqual(tree(join(home, 'back.bin')), tree(directory))
    await fs.rm(join(home, 'back.bin'), { recursive: true })
  }
})

interface Entry {
  path: string
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO'
  linkpath?: string
  size?: number
  content?: string
}

function tarBytes(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', linkpath, size, content = '' }) => {
    const block = Buffer.alloc(512)
    new Header({
      path,
      type,
      ...(linkpath && { linkpath }),
      size: size ?? content.length,
      mode: 0o644,
      mtime: new Date(0),
    }).encode(block)
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
    body.write(content)
    return [block, body]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

const hostile: [string, Entry[], ErrorCode][] = [
  ['an absolute path', [{ path: '/tmp/fold-worker-escaped', content: 'x' }], 'ARCHIVE_UNSAFE'],
  ['a path that climbs', [{ path: 'a.bin/../../escaped', content: 'x' }], 'ARCHIVE_UNSAFE'],
  ['a path that is ..', [{ path: '..', type: 'Directory' }], 'ARCHIVE_UNSAFE'],
  ['a backslash', [{ path: '..\\escaped', content: 'x' }], 'ARCHIVE_UNSAFE'],
  ['a drive', [{ path: 'c:escaped', content: 'x' }], 'ARCHIVE_UNSAFE'],
  ['a doubled slash', [{ path: 'a.bin//x', content: 'x' }], 'ARCHIVE_UNSAFE'],
  ['a line feed', [{ path: 'a.bin/x\ny', content: 'x' }], 'ARCHIVE_UNSAFE'],
  ['great depth', [{ path: 'a/'.repeat(30) + 'x', content: 'x' }], 'ARCHIVE_UNSAFE'],
  ['a symbolic link', [{ path: 'a.bin', type: 'SymbolicLink', linkpath: '/etc' }], 'ARCHIVE_UNSAFE'],
  ['a hard link', [{ path: 'a.bin/x', type: 'Link', linkpath: '/etc/passwd' }], 'ARCHIVE_UNSAFE'],
  ['a device', [{ path: 'a.bin/x', type: 'CharacterDevice' }], 'ARCHIVE_UNSAFE'],
  ['a pipe', [{ path: 'a.bin/x', type: 'FIFO' }], 'ARCHIVE_UNSAFE'],
  [
    'a file twice',
    [
      { path: 'a.bin/x', content: '1' },
      { path: 'a.bin/x', content: '2' },
    ],
    'ARCHIVE_UNSAFE',
  ],
  ['a file larger than the disk', [{ path: 'a.bin/x', size: 2 ** 50 }], 'DISK_FULL'],
  ['a file cut short', [{ path: 'a.bin/x', size: 5000, content: 'x' }], 'DAMAGED'],
  ['no manifest', [{ path: 'a.bin/x', content: 'x' }], 'NOT_AN_ARCHIVE'],
  ['nothing', [], 'DAMAGED'],
]
for (const [what, entries, code] of hostile) {
  test(`refuses a tar stream with ${what}`, async (t) => {
    const home = temporary(t)
    const inner = join(home, 'inner')
    mkdirSync(inner)
    writeFileSync(join(inner, 'x.tar.zst'), await compress(tarBytes(entries)))
    await t.throwsAsync(decompressArchive(join(inner, 'x.tar.zst'), { out: join(inner, 'b.bin') }), { code })
    t.deepEqual(readdirSync(inner), ['x.tar.zst'])
    t.deepEqual(readdirSync(home), ['inner'])
    t.false(existsSync('/tmp/fold-worker-escaped'))
  })
}

test('refuses a file that the manifest does not list', async (t) => {
  const { home, directory } = await archive(t)
  writeFileSync(join(directory, 'extra'), 'x')
  sh(home, 'tar --zstd -cf x.tar.zst a.bin')
  await t.throwsAsync(decompressArchive(join(home, 'x.tar.zst'), { out: join(home, 'b.bin') }), {
    code: 'ARCHIVE_UNSAFE',
  })
})

test('refuses more than was declared or allowed', async (t) => {
  const { home, directory } = await archive(t)
  const out = join(home, 'x.tar.zst')
  const { facts } = await compressArchive(directory, { out })
  const bytes = readFileSync(out)
  const stream = bytes.subarray(0, bytes.length - encodeFooter(facts).length)
  writeFileSync(
    out,
    Buffer.concat([stream, encodeFooter({ ...facts, unpackedBytes: facts.unpackedBytes - 1 })]),
  )
  const b = join(home, 'b.bin')
  await t.throwsAsync(decompressArchive(out, { out: b }), { code: 'ARCHIVE_UNSAFE' })
  writeFileSync(out, stream)
  await t.throwsAsync(decompressArchive(out, { out: b, maxBytes: 1000 }), { code: 'ARCHIVE_UNSAFE' })
  await decompressArchive(out, { out: b, maxBytes: facts.unpackedBytes })
  t.deepEqual(readdirSync(home).sort(), ['a.bin', 'b.bin', 'x.tar.zst'])
})

test('refuses streams that expand without end', async (t) => {
  const home = temporary(t)
  const bomb = join(home, 'x.tar.zst')
  // Frames that are decoded in order, and such that are decoded side by side.
  for (const bytes of [32 << 20, 2 << 20]) {
    const zeros = await compress(Buffer.alloc(bytes))
    const frames = Array.from({ length: (256 << 20) / bytes }, () => zeros)
    writeFileSync(bomb, Buffer.concat([await compress(tarBytes([])), ...frames]))
    await t.throwsAsync(decompressArchive(bomb, { out: join(home, 'b.bin'), maxBytes: 1 << 20 }), {
      code: 'ARCHIVE_UNSAFE',
    })
    t.deepEqual(readdirSync(home), ['x.tar.zst'])
  }
  writeFileSync(bomb, await compress(await compress(tarBytes([{ path: 'a', content: 'x' }]))))
  await t.throwsAsync(decompressArchive(bomb, { out: join(home, 'b.bin') }), { code: 'ARCHIVE_UNSAFE' })
})

test('damage anywhere is found', async (t) => {
  const { home, directory } = await archive(t, manySquares(6))
  const out = join(home, 'x.tar.zst')
  await compressArchive(directory, { out })
  const whole = readFileSync(out)
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (at, bits, cut) => {
        const damaged = Buffer.from(cut ? whole.subarray(0, at) : whole)
        if (!cut) damaged[at] = (damaged[at] ?? 0) ^ bits
        writeFileSync(out, damaged)
        const back = join(home, 'back.bin')
        try {
          await decompressArchive(out, { out: back })
          // Damage to the footer alone leaves a whole stream; then all there was is there.
          t.deepEqual(tree(back), tree(directory))
          await fs.rm(back, { recursive: true })
        } catch (error) {
          t.regex(
            (error as { code: string }).code,
            /DAMAGED|ARCHIVE_UNSAFE|NOT_AN_ARCHIVE|NEWER_FORMAT|DISK_FULL/,
          )
        }
        t.deepEqual(readdirSync(home).sort(), ['a.bin', 'x.tar.zst'])
      },
    ),
    { numRuns: 60 },
  )
})

test('a missing or strange file is named', async (t) => {
  const home = temporary(t)
  writeFileSync(join(home, 'plain'), 'not zstd at all')
  writeFileSync(join(home, 'empty'), '')
  await t.throwsAsync(decompressArchive(join(home, 'plain'), { out: join(home, 'b') }), { code: 'DAMAGED' })
  await t.throwsAsync(decompressArchive(join(home, 'empty'), { out: join(home, 'b') }), { code: 'DAMAGED' })
  await t.throwsAsync(decompressArchive(join(home, 'none'), { out: join(home, 'b') }), {
    code: 'INPUT_NOT_FOUND',
  })
})

const FACTS: ArchiveFacts = {
  sha256: 'a'.repeat(64),
  unpackedBytes: 5,
  program: 'fold-worker 0.1.0',
  input: { name: 'ü "x"', sha256: 'b'.repeat(64) },
  orthoCount: 3,
  complete: false,
  shards: ['1/2'],
  limits: [],
  contentDigest: 'c',
}

test('the footer says what it was given, and nothing else is taken for one', (t) => {
  const footer = encodeFooter(FACTS)
  t.deepEqual(parseFooter(Buffer.concat([Buffer.from('before'), footer])), {
    facts: FACTS,
    length: footer.length,
  })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => parseFooter(Buffer.from(bytes)) === undefined),
  )
  const wrong = encodeFooter({ ...FACTS, sha256: '../' } as ArchiveFacts)
  t.is(parseFooter(wrong), undefined)
})

test('the tar stream is one that tar reads, for any sizes', async (t) => {
  const home = temporary(t)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3000), { maxLength: 6 }), async (sizes) => {
      const source = join(home, 'source')
      await fs.rm(source, { recursive: true, force: true })
      mkdirSync(source)
      sizes.forEach((size, i) => writeFileSync(join(source, `f${i}`), Buffer.alloc(size, i + 65)))
      const contents = sizes.map((bytes, i) => ({ path: `f${i}`, bytes }))
      const pieces: Buffer[] = []
      for await (const piece of tarOf(fs, source, 'root', contents.toReversed())) pieces.push(piece)
      writeFileSync(join(home, 'x.tar'), Buffer.concat(pieces))
      const names = sh(home, 'tar -tf x.tar').split('\n').filter(Boolean)
      t.deepEqual(
        names,
        sizes.map((_, i) => `root/f${i}`),
      )
    }),
    { numRuns: 15 },
  )
})
