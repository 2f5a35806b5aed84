import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { mergeArchives, openArchive, search } from '../src/index.js'
import { temporary } from './support/world.js'

const ONE = 'a b c. d e f. a d. b e. c f. o p. o q. p s. q s.'
const TWO = 'o p. o r. p s. r s. b x. e y. x y. a b.'

test('a merge is a search of the texts together', async (t) => {
  const directory = temporary(t)
  const out = (name: string) => join(directory, `${name}.bin`)
  for (const [name, text] of Object.entries({ one: ONE, two: TWO, both: `${ONE}\n\n${TWO}` })) {
    await search({ text, name }, { out: out(name) })
  }
  const merged = await mergeArchives([out('two'), out('one')], { out: out('merged'), threads: 2 })
  const expected = await openArchive(out('both'))
  t.is(merged.contentDigest, expected.summary.contentDigest)
  t.is(merged.orthoCount, expected.summary.orthoCount)
  t.deepEqual(merged.optimal, expected.summary.optimal)
  t.is(merged.lineage, '("one" "two")')
  t.is(merged.input, null)
  t.true(merged.complete)
  const again = await mergeArchives([out('merged'), out('one')], { out: out('again') })
  t.is(again.contentDigest, merged.contentDigest)
})

test('what cannot be merged is refused, and leaves nothing', async (t) => {
  const out = join(temporary(t), 'merged.bin')
  await t.throwsAsync(mergeArchives([], { out }), { code: 'INVALID_ARGUMENT' })
  await t.throwsAsync(mergeArchives([join(out, 'nothing.bin')], { out }), { code: 'INPUT_NOT_FOUND' })
  await t.throwsAsync(mergeArchives([out], { out, threads: 0 }), { code: 'INVALID_ARGUMENT' })
  const signal = AbortSignal.abort()
  await t.throwsAsync(mergeArchives([out], { out, signal }), { code: 'CANCELLED' })
  t.false(existsSync(out))
})
