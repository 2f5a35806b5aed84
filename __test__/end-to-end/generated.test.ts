/** The laws of completeness and symmetry on generated texts: few words, so that high dimensions occur. */
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { openArchive, search, type ArchiveSummary } from '../../src/index.js'
import { hasPython, hasShared, oracle, sortedLines } from '../support/program.js'
import { temporary } from '../support/world.js'

const withOracle = hasShared && hasPython ? test : test.skip

const TEXTS = 1000

const word = fc.constantFrom('a', 'b', 'c', 'd', "l'é", 'Я', '字')
const sentence = fc.array(word, { minLength: 1, maxLength: 6 })
const sentences = fc.array(fc.tuple(sentence, fc.constantFrom('. ', '\r\n\r\n', '，', '؟ ', '\r\r')), {
  maxLength: 14,
})
type Sentences = [string[], string][]

function toText(parts: Sentences): string {
  return parts.map(([words, end]) => words.join(' ') + end).join('')
}

async function find(t: ExecutionContext, text: string, threads: number): Promise<[ArchiveSummary, string[]]> {
  const out = join(temporary(t), 'x.bin')
  const summary = await search({ text, name: 'x' }, { out, memory: 128 * 2 ** 20, threads })
  const archive = await openArchive(out)
  let listed = ''
  for await (const chunk of archive.text()) listed += Buffer.from(chunk).toString()
  archive.close()
  return [summary, sortedLines(listed)]
}

withOracle(`the sets of ${TEXTS} generated texts are the oracle’s`, async (t) => {
  const texts = fc.sample(sentences, TEXTS).map(toText)
  const expected = oracle(texts)
  let greatest = 0
  for (const [i, text] of texts.entries()) {
    const [summary, listed] = await find(t, text, 1 + (i % 2))
    t.deepEqual(listed, expected[i], JSON.stringify(text))
    t.is(summary.orthoCount, listed.length)
    greatest = Math.max(greatest, ...Object.keys(summary.shapes).map((shape) => shape.split('x').length))
  }
  // Otherwise the texts would not show what they are to show.
  t.true(greatest >= 3)
})

test('a text with every sentence reversed has as many orthos of each shape', async (t) => {
  await fc.assert(
    fc.asyncProperty(sentences, async (parts) => {
      const reversed = parts.map(([words, end]): [string[], string] => [words.toReversed(), end])
      const [forwards] = await find(t, toText(parts), 1)
      const [backwards] = await find(t, toText(reversed), 1)
      t.deepEqual(backwards.shapes, forwards.shapes)
    }),
    { numRuns: 100 },
  )
})
