/** A novel from a file to the merged archives in a bucket, by the built program, whatever the buckets are. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { ArchiveSummary } from '../../src/manifest.js'
import { foldWorker, type Outcome } from './program.js'
import { manySquares } from './texts.js'
import { temporary } from './world.js'

const CHAPTERS = [3, 4, 5].map((size) => `CHAPTER ${'i'.repeat(size)}\n${manySquares(size)}.\n`)

const jsonLines = <T>({ out }: Outcome): T[] =>
  out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)

const manifest = (path: string) =>
  JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) as ArchiveSummary

export function bucketLife(t: ExecutionContext<unknown>, environment: Record<string, string>): void {
  const home = temporary(t)
  const scratch = temporary(t)
  const at = (name: string) => join(home, name)
  const run = (args: string[], code = 0, more: Record<string, string> = {}) => {
    const env = { ...environment, TMPDIR: scratch, ...more }
    const outcome = foldWorker(args, { cwd: home, env })
    t.is(outcome.code, code, `${args.join(' ')}: ${outcome.err}${outcome.out}`)
    return outcome
  }

  writeFileSync(at('novel.txt'), CHAPTERS.join(''))
  const stage = ['stage', 'novel.txt', '--delimiter', 'CHAPTER', '--min-length', '0', '--to']
  run([...stage, 's3://fold-input/novel'])
  // Again, as after a failure: what is there is passed over; other texts of the same names are refused.
  run([...stage, 's3://fold-input/novel/'])
  writeFileSync(at('novel.txt'), CHAPTERS.join('').replace('CHAPTER iii\n', 'CHAPTER jjj\n'))
  t.regex(run([...stage, 's3://fold-input/novel'], 7).err, /novel-001\.txt is there already/)
  writeFileSync(at('novel.txt'), CHAPTERS.join('').replace('CHAPTER iii\n', 'CHAPTER iii and more\n'))
  t.regex(run([...stage, 's3://fold-input/novel'], 7).err, /nothing is overwritten \(0 of 3 stored\)/)

  const worker = (INPUT_FILE: string, code = 0, more: Record<string, string> = {}) =>
    run(['--mode', 'cloud-worker'], code, { INPUT_FILE, LOCAL_STATE_DIR: at('state'), ...more })
  worker('novel/')
  worker('novel/novel-002.txt')
  worker('novel/novel-003.txt', 18, { FOLD_MAX_ORTHOS: '10' })
  t.regex(run(['list']).out, /^3 inputs, 0 without a complete archive$/m)
  t.is(jsonLines(run(['list', 'archives', '--json'])).length, 5)

  const byInput = ['merge', 's3://fold-archives/novel/', '--by-input', '--to', 's3://fold-archives/whole']
  type Merged = ArchiveSummary & { from: string[]; stored: boolean; url: string }
  const wholes = jsonLines<Merged>(run([...byInput, '--json']))
  t.deepEqual(
    wholes.map(({ complete, stored, input }) => [complete, stored, input?.name]),
    [1, 2, 3].map((n) => [true, true, `novel/novel-00${n}`]),
  )
  for (const { from, url, archive } of wholes) {
    t.is(from.length, 1)
    t.regex(url, /fold-archives\/whole\/novel\/novel-00\d_\d+\.tar\.zst$/)
    t.is(archive, url)
  }
  t.deepEqual(
    jsonLines<Merged>(run([...byInput, '--json'])).map(({ stored }) => stored),
    [false, false, false],
  )

  run(['merge', 's3://fold-archives/whole/', '--out', 'all.bin', '--to', 's3://fold-archives/all'])
  writeFileSync(at('together.txt'), CHAPTERS.join('\n\n'))
  run(['search', 'together.txt', '--out', 'together.bin'])
  t.is(manifest(at('all.bin')).contentDigest, manifest(at('together.bin')).contentDigest)
  t.is(manifest(at('all.bin')).complete, true)

  for (const shard of ['1/2', '2/2']) {
    worker('novel/novel-003.txt', 0, { FOLD_SHARD: shard, DO_SPACES_ARCHIVE_BUCKET: 'fold-shards' })
  }
  const united = run(['merge', 's3://fold-shards', '--to', 's3://fold-archives/united/'])
  t.regex(united.out, /2 archives merged\n/)
  t.regex(united.out, /^stored at \S*fold-archives\/united\/novel\/novel-003_\d+\.tar\.zst$/m)
  const third = wholes[2]?.contentDigest
  const stored = jsonLines<{ key: string; facts: { contentDigest: string; complete: boolean } }>(
    run(['list', 'archives', '--prefix', 'united/', '--json']),
  )
  t.deepEqual(
    stored.map(({ facts }) => [facts.contentDigest, facts.complete]),
    [[third, true]],
  )

  t.regex(run(['merge', 's3://fold-archives/none/', '--out', 'x.bin'], 3).err, /there is no archive at s3:/)
  const lost = run(['merge', 's3://fold-archives/whole/', '--to', 's3://fold-missing/'], 25)
  const kept = /the merged archive is kept at (\S+)$/m.exec(lost.err)?.[1] ?? ''
  t.is(manifest(kept).complete, true, lost.err)
  // Nothing else is left in temporary places.
  t.deepEqual(
    readdirSync(scratch).filter((name) => !kept.includes(name)),
    [],
  )
}
