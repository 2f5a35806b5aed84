/** Every item under "Bad input" of the first issue, on the built program. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { ArchiveSummary } from '../../src/manifest.js'
import { canMount, foldWorker, shell } from '../support/program.js'
import { SQUARE, manySquares, word } from '../support/texts.js'
import { temporary } from '../support/world.js'

/** Searches a text with a budget, checks that it is kept, and gives the summary. */
function searched(t: ExecutionContext, text: string | Uint8Array, memory = 256): ArchiveSummary {
  const cwd = temporary(t)
  writeFileSync(join(cwd, 'x.txt'), text)
  const { code, out, err, peak } = foldWorker(['search', 'x.txt', '--json', '--memory', `${memory}M`], {
    cwd,
  })
  t.is(code, 0, err)
  t.true(peak > 0 && peak <= memory * 2 ** 20, `${peak / 2 ** 20} MiB of ${memory}`)
  t.is(statSync(join(cwd, 'x.txt')).size, Buffer.byteLength(text))
  return JSON.parse(out) as ArchiveSummary
}

/** Runs in an empty directory, expects this failure, and that nothing was made. */
function refused(t: ExecutionContext, args: string[], code: number, name: string): string {
  const cwd = temporary(t)
  const result = foldWorker(args, { cwd })
  t.is(result.code, code, result.err)
  t.regex(result.err, new RegExp(`^fold-worker: ${name}: `))
  t.deepEqual(readdirSync(cwd), [])
  return result.err
}

test('a missing file', (t) => {
  t.regex(refused(t, ['search', 'absent.txt'], 3, 'INPUT_NOT_FOUND'), /absent\.txt/)
})

test('a directory', (t) => {
  refused(t, ['search', temporary(t), '--out', 'x.bin'], 4, 'INPUT_UNREADABLE')
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('a file that cannot be read', (t) => {
  // Permissions do not stop root; this file refuses everybody's reading from its start.
  refused(t, ['search', '/proc/self/mem', '--out', 'x.bin'], 4, 'INPUT_UNREADABLE')
})

test('a file that is not UTF-8, with the byte offset', (t) => {
  const directory = temporary(t)
  writeFileSync(join(directory, 'x.txt'), Buffer.concat([Buffer.from('é word '), Uint8Array.of(0xc3, 0x28)]))
  t.regex(refused(t, ['search', join(directory, 'x.txt')], 5, 'INPUT_NOT_UTF8'), /x\.txt.*\b8\b/)
})

test('an archive that is there already is not touched', (t) => {
  const cwd = temporary(t)
  mkdirSync(join(cwd, 'x.bin'))
  const { code, err } = foldWorker(['search', '-', '--out', 'x.bin'], { cwd, input: SQUARE })
  t.is(code, 7, err)
  t.deepEqual(readdirSync(cwd), ['x.bin'])
})

for (const [name, text] of [
  ['an empty text', ''],
  ['a byte order mark alone', '\ufeff'],
  ['a text without any ortho', 'one two three four.'],
] as const) {
  test(`${name} has an archive with no ortho`, (t) => {
    t.like(searched(t, text), { orthoCount: 0, shapes: {}, optimal: null, complete: true })
    t.regex(foldWorker(['search', '-'], { cwd: temporary(t), input: text }).out, /has no ortho/)
  })
}

test('one word of 10 MB', (t) => {
  t.like(searched(t, `${SQUARE} ${'x'.repeat(10_000_000)}`), { orthoCount: 1, vocabulary: 5 })
})

test('one sentence of 1,000,000 words', (t) => {
  const words = Array.from({ length: 1_000_000 }, (_, i) => word(i))
  t.like(searched(t, words.join(' '), 512), { orthoCount: 0, vocabulary: 1_000_000 })
})

test('a million empty sentences', (t) => {
  t.like(searched(t, `${'. '.repeat(1_000_000)}${SQUARE}`), { orthoCount: 1, vocabulary: 4 })
})

test('a vocabulary over 65,536 words', (t) => {
  const words = Array.from({ length: 70_000 }, (_, i) => `zz${word(i)}`)
  t.like(searched(t, `${SQUARE} ${words.join(' ')}`), { orthoCount: 1, vocabulary: 70_004 })
})

test('a memory budget that does not do says what would', (t) => {
  const directory = temporary(t)
  writeFileSync(join(directory, 'x.txt'), SQUARE)
  const text = refused(t, ['search', join(directory, 'x.txt'), '--memory', '1M'], 14, 'MEMORY_TOO_SMALL')
  t.regex(text, /at least \d+ MiB/)
})

const withMounts = canMount ? test : test.skip

withMounts('a full disk', (t) => {
  const directory = temporary(t)
  writeFileSync(join(directory, 'x.txt'), manySquares(40))
  mkdirSync(join(directory, 'small'))
  const result = shell(
    `unshare -rm sh -c 'mount -t tmpfs -o size=64k none "$D/small" && cd "$D/small" &&
      "$NODE" "$BIN" search ../x.txt; code=$?; ls -A; exit $code'`,
    { D: directory },
  )
  t.is(result.code, 8, result.err)
  t.regex(result.err, /DISK_FULL/)
  t.is(result.out, '', 'nothing is left behind')
})

withMounts('a read-only state directory', (t) => {
  const state = temporary(t)
  mkdirSync(join(state, 'input'))
  writeFileSync(join(state, 'input/a.txt'), SQUARE)
  const { code, err } = shell(
    `unshare -rm sh -c 'mount --bind "$S" "$S" && mount -o remount,bind,ro "$S" && "$NODE" "$BIN" --state-dir "$S"'`,
    { S: state },
  )
  t.is(code, 9, err)
  t.regex(err, /NOT_WRITABLE/)
  t.deepEqual(readdirSync(join(state, 'input')), ['a.txt'])
})

test('a file in the place of the state directory', (t) => {
  const file = join(temporary(t), 'state')
  writeFileSync(file, '')
  const { code, err } = foldWorker(['--state-dir', file])
  t.is(code, 9, err)
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** An archive of a small text, to be damaged. */
function archive(t: ExecutionContext): string {
  const cwd = temporary(t)
  const { code, err } = foldWorker(['search', '-', '--out', 'x.bin'], {
    cwd,
    input: `${SQUARE} b d e. a c e.`,
  })
  t.is(code, 0, err)
  return join(cwd, 'x.bin')
}

function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

test('what is no archive', (t) => {
  const directory = temporary(t)
  t.is(foldWorker(['inspect', directory]).code, 11)
  t.is(foldWorker(['orthos', directory]).code, 11)
  t.is(foldWorker(['inspect', join(directory, 'absent.bin')]).code, 3)
})

test('an archive of a newer format', (t) => {
  const path = archive(t)
  const manifest = join(path, 'manifest.json')
  const sums = join(path, 'SHA256SUMS')
  const before = readFileSync(manifest, 'utf8')
  const after = before.replace(/("formatVersion":\s*)2\b/, '$1999')
  t.not(after, before)
  writeFileSync(manifest, after)
  writeFileSync(sums, readFileSync(sums, 'utf8').replace(sha256(before), sha256(after)))
  const { code, err } = foldWorker(['inspect', path])
  t.is(code, 13, err)
  t.regex(err, /999/)
})

test('an archive with any file cut short is found damaged', (t) => {
  const files = filesOf(archive(t))
  t.true(files.length >= 4)
  for (const name of files.map((file) => file.split('.bin/')[1] ?? '')) {
    const path = archive(t)
    const file = join(path, name)
    truncateSync(file, Math.max(0, statSync(file).size - 1))
    const { code, err } = foldWorker(['inspect', path, '--verify', '--quiet'])
    t.is(code, 12, `${name}: ${err}`)
  }
})

test('an archive with any bit flipped is found damaged', (t) => {
  for (const name of filesOf(archive(t)).map((file) => file.split('.bin/')[1] ?? '')) {
    const path = archive(t)
    const file = join(path, name)
    const bytes = readFileSync(file)
    const middle = bytes.length >> 1
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    writeFileSync(file, bytes)
    const { code, err } = foldWorker(['inspect', path, '--verify', '--quiet'])
    t.is(code, 12, `${name}: ${err}`)
  }
})
