/** The report without a browser: what is in it, that everything is escaped, that it is written whole. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import type { Survey } from '../../src/archive.js'
import { FoldError } from '../../src/errors.js'
import { locatePhrases, mergeArchives, openArchive, reportArchive, search } from '../../src/index.js'
import { machine } from '../../src/effects.js'
import type { ReportData } from '../../src/report/page/data.js'
import { html, escapeHtml, jsonFor } from '../../src/report/page/markup.js'
import { renderReport } from '../../src/report/page/page.js'
import { pickLines } from '../../src/report/page/text-file.js'
import { linesOf } from '../../src/shape.js'
import { foldWorker } from '../support/program.js'
import { summary } from '../support/summaries.js'
import { manySquares } from '../support/texts.js'
import { temporary } from '../support/world.js'

const SURVEY: Survey = {
  read: 1234,
  exact: true,
  words: [{ word: 'whale', orthos: 7 }],
  shapes: [
    { dims: [2, 2], orthos: 1200, read: 1200, first: ['q', 'r', 's', 't'], sample: [['q', 'r', 's', 'u']] },
    { dims: [2, 3], orthos: 30, read: 30, first: ['a', 'b', 'c', 'd', 'e', 'f'], sample: [] },
  ],
  searches: [{ orthos: 1234, vocabulary: 299 }],
  origins: { each: [], several: 0, together: 0 },
}

function data(changes: Partial<ReportData> = {}): ReportData {
  return {
    summary: summary(),
    survey: SURVEY,
    texts: [],
    occurrences: new Map(),
    phrasesCut: false,
    ...changes,
  }
}

/** The page less the two pieces of the program itself. */
function withoutOwn(page: string): string {
  return page.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<script>[\s\S]*?<\/script>/, '')
}

test('it says what there is: counts, the optimal ortho, words, lineage, digests', (t) => {
  const page = renderReport(data())
  for (const piece of ['1,234 orthos', '2x3', 'whale', 'digest', 'all orthos', '<bdi lang="">a</bdi>']) {
    t.true(page.includes(piece), piece)
  }
  t.true(page.startsWith('<!DOCTYPE html>\n<html lang="en">'))
})

test('an estimate is called one', (t) => {
  const page = renderReport(data({ survey: { ...SURVEY, read: 100, exact: false } }))
  t.regex(page, /an estimate from 100 of 1,234 orthos/)
  t.notRegex(renderReport(data()), /estimate/)
})

test('an archive that is not complete says so, and why', (t) => {
  const limited = summary({ complete: false, limits: [{ name: 'maxTime', value: 60 }] })
  t.regex(renderReport(data({ summary: limited })), /incomplete: stopped after 1 min/)
})

test('an archive without any ortho has a report too', (t) => {
  const none = summary({ orthoCount: 0, shapes: {}, optimal: null })
  const survey = { ...SURVEY, read: 0, words: [], shapes: [] }
  t.regex(renderReport(data({ summary: none, survey })), /This text has no ortho/)
})

test('style and script are allowed by their sums, and nothing else is', (t) => {
  const page = renderReport(data())
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? ''
  t.true(policy.startsWith('default-src &#39;none&#39;;'))
  for (const name of ['style', 'script']) {
    const own = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(page)?.[1] ?? ''
    t.true(own.length > 100)
    const sum = createHash('sha256').update(own).digest('base64')
    t.true(policy.includes(`${name}-src &#39;sha256-${sum}&#39;`), name)
  }
  t.notRegex(page, /\s(src|href|style|on\w+)="(?!#)/)
})

test('hostile words and names are text', (t) => {
  const evil = '</script><img src=x onerror=alert(1)><!--"\'&'
  const page = renderReport(
    data({
      summary: summary({
        input: { name: evil, sha256: evil, bytes: 1 },
        lineage: JSON.stringify(evil),
        optimal: { dims: [2, 2], volume: 1, fullness: 4, words: [evil, 'b', 'c', 'd'] },
        files: { [evil]: { bytes: 1, sha256: evil } },
        shapes: { [evil]: 5 },
        program: evil,
      }),
      survey: {
        ...SURVEY,
        words: [{ word: evil, orthos: 1 }],
        shapes: [{ dims: [2, 2], orthos: 5, read: 5, first: null, sample: [[evil, evil, evil, evil]] }],
      },
      texts: [evil, evil],
      occurrences: new Map([
        [`${evil} b`, { count: 2, places: [{ kind: 'line', text: evil, line: 1, excerpt: `${evil} b` }] }],
        [`${evil} c`, { count: 2, places: [{ kind: 'sentence', words: [evil, 'c'], before: 0 }] }],
      ]),
    }),
  )
  const rest = withoutOwn(page)
  t.notRegex(rest, /<img|<!--|onerror=alert\(1\)>(?!<)/)
  const sample = /<script type="application\/json" id="sample">([\s\S]*?)<\/script>/.exec(rest)?.[1] ?? ''
  t.deepEqual(JSON.parse(sample), { words: [evil], shapes: [{ dims: [2, 2], orthos: [[0, 0, 0, 0]] }] })
})

test('whatever the text, markup stays markup', (t) => {
  const nasty = fc.string({
    unit: fc.constantFrom('<', '>', '&', '"', "'", '/', '!', '-', 'a', '\u0000', '\u2028', '猫'),
  })
  fc.assert(
    fc.property(nasty, (text) => {
      t.notRegex(escapeHtml(text), /[<>"'\p{Cc}]/u)
      t.is(html`<p>${text}</p>`.text, `<p>${escapeHtml(text)}</p>`)
      const json = jsonFor({ [text]: text }).text
      t.notRegex(json, /[<>&\u2028]/)
      t.deepEqual(JSON.parse(json), { [text]: text })
    }),
  )
})

test('an ortho that is too large to draw is cut', (t) => {
  const words = Array.from({ length: 5000 }, (_, i) => `w${i}`)
  const page = renderReport(
    data({ summary: summary({ optimal: { dims: [2, 2500], volume: 2499, fullness: 5000, words } }) }),
  )
  t.regex(page, /Too large to draw/)
  t.false(page.includes('w4999'))
})

test('a lineage of any size is bounded', (t) => {
  const wide = `(${Array.from({ length: 5000 }, (_, i) => `"t${i}"`).join(' ')})`
  t.regex(renderReport(data({ summary: summary({ lineage: wide }) })), /… and 4,800 more/)
  const deep = `${'('.repeat(3000)}"a" "b"${')'.repeat(3000)}`
  t.notThrows(() => renderReport(data({ summary: summary({ lineage: deep }) })))
})

test('lines of an ortho run along every axis', (t) => {
  t.deepEqual(
    linesOf([2, 3], ['a', 'b', 'c', 'd', 'e', 'f']).map(({ axis, words }) => `${axis} ${words.join(' ')}`),
    ['0 a c', '0 b e', '0 d f', '1 a b d', '1 c e f'],
  )
})

test('lines are picked as the core counts them', async (t) => {
  const breaks = fc.constantFrom('\n', '\r', '\r\n', '\n\n', '. ', ' ')
  const text = fc.array(fc.tuple(fc.constantFrom('cat', 'dog', 'the', 'é'), breaks), { maxLength: 40 })
  const path = join(temporary(t), 'a.txt')
  await fc.assert(
    fc.asyncProperty(text, async (parts) => {
      const whole = parts.flat().join('')
      writeFileSync(path, whole)
      const [places] = await locatePhrases(path, [['the', 'cat']], 100)
      const wanted = new Set(places?.lines)
      const lines = await pickLines(machine.files, path, wanted)
      t.is(places?.count, places?.lines.length)
      const expected = whole.split(/\r\n|\r|\n/)
      for (const number of wanted) {
        t.is(lines.get(number), expected[number - 1])
        t.true(lines.get(number)?.includes('the'))
      }
    }),
    { numRuns: 60 },
  )
})

test('of a real archive: lines of its text, or sentences without it', async (t) => {
  const directory = temporary(t)
  const path = join(directory, 'a<b>.txt')
  writeFileSync(
    path,
    'It said: the cat\nsat. The dog ran\n\n<b>Cat</b> ran; sat there. Dog was. The cat was\n',
  )
  const text = 'the cat sat. the dog ran. a cat ran. a dog sat. cat dog. sat ran.\n'
  writeFileSync(join(directory, 'b.txt'), text)
  for (const name of ['a<b>', 'b']) {
    await search({ path: join(directory, `${name}.txt`) }, { out: join(directory, `${name}.bin`) })
  }
  const archive = await openArchive(join(directory, 'b.bin'))
  const plain = await reportArchive(archive)
  t.regex(plain, /<mark>a cat<\/mark> ran/)
  t.regex(plain, /With\s+<code>--text<\/code>/)
  const placed = await reportArchive(archive, { texts: [join(directory, 'b.txt')] })
  t.regex(
    placed,
    /line 1:\s+<q dir="auto" lang="">the cat sat\. the dog ran\. <mark>a cat<\/mark> ran\. a dog/,
  )
  const error = await t.throwsAsync(reportArchive(archive, { texts: [path] }), { instanceOf: FoldError })
  t.is((error as FoldError).code, 'TEXT_DIFFERS')
  archive.close()
})

test('a merge tells what the texts have by themselves and what only together', async (t) => {
  const directory = temporary(t)
  const parts = ['a b. a c. b d. c d.', 'e f. e g. f h. g h. b x.', 'x y. d y. a e.']
  const paths = parts.map((text, i) => {
    const path = join(directory, `${i}.txt`)
    writeFileSync(path, text)
    return path
  })
  for (const path of paths) await search({ path }, { out: path.replace('.txt', '.bin') })
  const out = join(directory, 'all.bin')
  await mergeArchives(
    paths.map((path) => path.replace('.txt', '.bin')),
    { out },
  )
  const archive = await openArchive(out)
  const { origins, exact, read } = await archive.survey({ texts: paths })
  // The third square, b d x y, takes words of all three.
  t.deepEqual([origins, exact, read], [{ each: [1, 1, 0], several: 0, together: 1 }, true, 3])
  t.regex(await reportArchive(archive, { texts: paths }), /in no text by itself/)
  archive.close()
})

test('a survey of a part is in proportion', async (t) => {
  const directory = temporary(t)
  const out = join(directory, 'a.bin')
  const { orthoCount } = await search({ text: manySquares(24), name: 'a' }, { out })
  const archive = await openArchive(out)
  const whole = await archive.survey({ words: 1000 })
  const part = await archive.survey({ words: 1000, read: 1000, show: 5 })
  archive.close()
  t.true(whole.exact && whole.read === orthoCount)
  t.false(part.exact && part.read < orthoCount)
  t.deepEqual(part.shapes[0]?.orthos, whole.shapes[0]?.orthos)
  t.true((part.shapes[0]?.sample.length ?? 0) <= 5)
})

test('the command writes the report whole, and never over a file unless told to', (t) => {
  const cwd = temporary(t)
  writeFileSync(join(cwd, 'a.txt'), 'a b. a c. b d. c d.')
  foldWorker(['search', 'a.txt'], { cwd })
  const made = foldWorker(['report', 'a.bin', '--text', 'a.txt', '--out', 'a.html', '--json'], { cwd })
  t.is(made.code, 0, made.err)
  const page = readFileSync(join(cwd, 'a.html'), 'utf8')
  t.like(JSON.parse(made.out), {
    archive: 'a.bin',
    out: 'a.html',
    bytes: Buffer.byteLength(page),
    texts: ['a.txt'],
  })
  t.is(foldWorker(['report', 'a.bin', '--out', 'a.html'], { cwd }).code, 7)
  t.is(readFileSync(join(cwd, 'a.html'), 'utf8'), page)
  t.is(foldWorker(['report', 'a.bin', '--out', 'a.html', '--force'], { cwd }).code, 0)
  writeFileSync(join(cwd, 'b.txt'), 'something else')
  t.is(foldWorker(['report', 'a.bin', '--out', 'b.html', '--text', 'b.txt'], { cwd }).code, 40)
  t.is(foldWorker(['report', 'a.bin', '--out', 'missing/b.html'], { cwd }).code, 3)
  mkdirSync(join(cwd, 'directory'))
  t.is(foldWorker(['report', 'a.bin', '--out', 'directory', '--force'], { cwd }).code, 4)
  t.false(existsSync(join(cwd, 'b.html')))
  t.deepEqual(
    readdirSync(cwd).filter((name) => name.startsWith('.')),
    [],
  )
})
