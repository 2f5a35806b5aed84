/** Buckets as directories: staging, working, merging and storing by the built program. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { bucketLife } from '../support/bucket-life.js'
import { foldWorker } from '../support/program.js'
import { SQUARE } from '../support/texts.js'
import { temporary } from '../support/world.js'

test('a novel goes through directories in the place of buckets', (t) => {
  const spaces = temporary(t)
  for (const bucket of ['fold-input', 'fold-archives', 'fold-shards']) mkdirSync(join(spaces, bucket))
  bucketLife(t, { DO_SPACES_ENDPOINT: `file://${spaces}` })
})

test('directories are named by file:// without any environment', (t) => {
  const home = temporary(t)
  const at = (name: string) => join(home, name)
  for (const name of ['Texts to do', 'Archives']) mkdirSync(at(name))
  writeFileSync(at('novel.txt'), `CHAPTER a\n${SQUARE}\nCHAPTER b\nx`)
  const run = (args: string[], code = 0) => {
    const outcome = foldWorker(args, { cwd: home, env: { DO_SPACES_ENDPOINT: '' } })
    t.is(outcome.code, code, outcome.err)
    return outcome
  }
  const to = `file://${encodeURI(at('Texts to do'))}`
  run(['stage', 'novel.txt', '--delimiter', 'CHAPTER', '--min-length', '0', '--to', to])
  t.deepEqual(readdirSync(at('Texts to do')).sort(), ['novel-001.txt', 'novel-002.txt'])
  run(['search', 'Texts to do/novel-001.txt', '--out', 'one.bin'])
  run(['merge', 'one.bin', '--to', `file://${at('Archives')}`])
  const [name = ''] = readdirSync(at('Archives'))
  t.regex(name, /^novel-001_\d+\.tar\.zst$/)
  const before = readFileSync(join(at('Archives'), name))
  t.regex(run(['merge', 'one.bin', '--to', `file://${at('Archives')}/`]).out, /^there already: /m)
  t.deepEqual(readdirSync(at('Archives')), [name])
  t.deepEqual(readFileSync(join(at('Archives'), name)), before)
  run(['merge', `file://${at('Archives')}/novel-001`, '--out', 'back.bin'])
  const manifest = (archive: string) => readFileSync(join(at(archive), 'manifest.json'), 'utf8')
  const digest = (archive: string) =>
    (JSON.parse(manifest(archive)) as { contentDigest: string }).contentDigest
  t.is(digest('back.bin'), digest('one.bin'))
  t.deepEqual(
    readdirSync(home).filter((entry) => entry.startsWith('.')),
    [],
  )
})

for (const args of [
  ['merge', 'a.bin'],
  ['merge', 'a.bin', '--to', 'elsewhere'],
  ['merge', 'a.bin', '--to', 'file:///'],
  ['merge', 's3://', '--out', 'x.bin'],
]) {
  test(`wrong usage: ${args.join(' ')}`, (t) => {
    t.is(foldWorker(args, { cwd: temporary(t) }).code, 2)
  })
}
