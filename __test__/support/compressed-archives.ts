/** Archives for tests: real ones of small texts, and files that pass for one. */
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { compressArchive, type CompressedArchive } from '../../src/archiving/compress.js'
import { encodeFooter, type ArchiveFacts } from '../../src/archiving/facts.js'
import { search } from '../../src/search.js'
import { SQUARE } from './texts.js'
import { temporary } from './world.js'

/** A real archive, compressed. */
export async function realArchive(
  t: ExecutionContext<unknown>,
  text = SQUARE,
  name = 'a',
): Promise<CompressedArchive> {
  const home = temporary(t)
  const directory = join(home, 'a.bin')
  await search({ text, name }, { out: directory, memory: 2 ** 28, threads: 1 })
  return compressArchive(directory, { out: join(home, 'a.tar.zst') })
}

/** A real archive of several megabytes: of a text of many words and no orthos. */
export function bulkyArchive(t: ExecutionContext<unknown>): Promise<CompressedArchive> {
  const letters = randomBytes(6 << 20)
    .toString('hex')
    .replaceAll(/\d/g, (digit) => 'ghijklmnop'[Number(digit)] ?? '')
  return realArchive(t, letters.replaceAll(/.{30}/g, '$& ').replaceAll(/(\S+ \S+) /g, '$1. '), 'bulky')
}

/** A file of so many random bytes with facts at its end, as large as a transfer needs it. */
export function pretendedArchive(
  t: ExecutionContext<unknown>,
  bytes: number,
  changes: Partial<ArchiveFacts> = {},
): CompressedArchive {
  const content = randomBytes(bytes)
  const facts: ArchiveFacts = {
    sha256: createHash('sha256').update(content).digest('hex'),
    unpackedBytes: bytes,
    program: 'fold-worker 0.1.0',
    input: { name: 'a', sha256: 'b'.repeat(64) },
    orthoCount: 3,
    complete: true,
    shards: [],
    limits: [],
    contentDigest: 'c'.repeat(64),
    ...changes,
  }
  const whole = Buffer.concat([content, encodeFooter(facts)])
  const path = join(temporary(t), 'x.tar.zst')
  writeFileSync(path, whole)
  return { path, bytes: whole.length, sha256: createHash('sha256').update(whole).digest('hex'), facts }
}

/** All that an iteration gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
