/**
 * The report on an archive as one page of HTML: nothing is loaded from anywhere, and the page's own policy forbids it.
 */
import { createHash } from 'node:crypto'
import { formatSize } from '../../machine/size.js'
import { compareShapes, formatShape } from '../../shape.js'
import { lineageNames } from '../../merge/lineage.js'
import { version } from '../../version.js'
import { describeGaps } from '../limits.js'
import { formatCount, formatSeconds, plural } from '../numbers.js'
import { CLIENT } from './client.js'
import { drawnIn, type Drawn, type ReportData } from './data.js'
import { chart, grid, lineageTree, linePlaces, wordMarkup } from './figures.js'
import { html, jsonFor, verbatim, type Content, type Markup } from './markup.js'
import { STYLE } from './style.js'

/** Rows of a chart at most. */
const MOST_ROWS = 60
/** Files listed at most. */
const MOST_FILES = 200

/** The whole page. */
export function renderReport(data: ReportData): string {
  const { summary, survey } = data
  const [style, script] = [STYLE, CLIENT]
  const policy =
    `default-src 'none'; style-src ${hashSource(style)}; script-src ${hashSource(script)}; ` +
    "base-uri 'none'; form-action 'none'"
  const title = titleOf(data)
  const { optimal } = summary
  const others = drawnIn(summary, survey).slice(optimal ? 1 : 0)
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policy}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="generator" content="fold-worker ${version()}" />
      <title>Orthos of ${title}</title>
      <style>
        ${verbatim(style)}
      </style>
    </head>
    <body>
      <a class="skip" href="#main">To the content</a>
      <header>
        <h1>Orthos of ${wordMarkup(title)}</h1>
        <p class="big">${headline(data)}</p>
        ${navigation(data)}
      </header>
      <main id="main">
        ${optimal && section('optimal', 'The optimal ortho', optimalSection(data, optimal))}
        ${section('shapes', 'By shape', shapesSection(data))}
        ${others.length > 0 && section('largest', 'One of each other shape', largestSection(data, others))}
        ${survey.words.length > 0 && section('words', 'Most frequent words', wordsSection(data))}
        ${section('origin', 'Where they come from', originSection(data))}
        ${
          survey.shapes.some(({ sample }) => sample.length > 0) &&
          section('search', 'Look for a word', filterSection(data))
        }
        ${section('archive', 'The archive', archiveSection(data))}
      </main>
      <footer>
        Made by fold-worker ${version()}. An ortho is a grid of words in which every line, read along any axis
        from the first word on, is a phrase of the text, and in which words at the same distance from the
        first are all different.
      </footer>
      ${sampleData(data)}
      <script>
        ${verbatim(script)}
      </script>
    </body>
  </html>`
  return `<!DOCTYPE html>\n${withExact(page.text, style, script)}`
}

/** The policy names the sums of style and script, so that they must stand in their elements without any space around. */
function withExact(page: string, ...sources: string[]): string {
  return sources.reduce((text, source) => {
    const at = text.indexOf(source)
    const before = text.slice(0, at).trimEnd()
    return before + source + text.slice(at + source.length).trimStart()
  }, page)
}

function hashSource(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`
}

function section(id: string, title: string, content: Content): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${content}
  </section>`
}

function titleOf({ summary }: ReportData): string {
  const names = lineageNames(summary.lineage)
  const [only] = names
  return summary.input?.name ?? (names.length === 1 && only ? only : plural(names.length, 'text'))
}

function headline({ summary }: ReportData): string {
  const { orthoCount, optimal, complete } = summary
  if (!optimal) return 'This text has no ortho: nowhere do four of its phrases of two words meet in a square.'
  const all = complete ? 'These are all that there are.' : 'There may be more: the archive is not complete.'
  const best = `the best is a ${formatShape(optimal.dims)} of ${plural(optimal.fullness, 'word')}`
  return `${plural(orthoCount, 'ortho')}; ${best}. ${all}`
}

function navigation({ summary, survey }: ReportData): Markup {
  const links: [string, string][] = [
    ...(summary.optimal ? ([['optimal', 'optimal ortho']] as [string, string][]) : []),
    ['shapes', 'shapes'],
    ...(survey.words.length > 0 ? ([['words', 'words']] as [string, string][]) : []),
    ['origin', 'origin'],
    ['archive', 'archive'],
  ]
  return html`<nav aria-label="Parts of this page">
    <ul>
      ${links.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
    </ul>
  </nav>`
}

function optimalSection({ occurrences, texts }: ReportData, optimal: Drawn & { volume: number }): Content {
  return [
    html`<p>
      ${formatShape(optimal.dims)}, volume ${formatCount(optimal.volume)},
      ${plural(optimal.words.length, 'cell')}. It has the greatest volume (the product of its lengths, each
      less one), and of those the most cells.
    </p>`,
    grid(optimal, 'grid-optimal'),
    linePlaces(optimal, occurrences),
    texts.length === 0 &&
      html`<p class="note">
        The archive knows sentences and not their places. With
        <code>--text</code> and the text’s file, this page names lines.
      </p>`,
  ]
}

function shapesSection({ summary }: ReportData): Content {
  const entries = Object.entries(summary.shapes).sort(([a], [b]) => compareShapes(a, b))
  if (entries.length === 0) return html`<p>None.</p>`
  const shown = entries.slice(0, MOST_ROWS)
  const rest = entries.slice(MOST_ROWS)
  const bars = shown.map(([label, count]) => ({ label, count }))
  if (rest.length > 0) {
    const count = rest.reduce((sum, [, n]) => sum + n, 0)
    bars.push({ label: `${formatCount(rest.length)} more shapes`, count })
  }
  return chart(
    html`Orthos by shape; the bars are logarithmic, as the counts span many powers of ten`,
    ['shape', 'orthos'],
    bars,
    { logarithmic: true },
  )
}

function largestSection({ survey, occurrences, phrasesCut }: ReportData, others: Drawn[]): Content {
  const seen = new Map(survey.shapes.map((shape) => [formatShape(shape.dims), shape]))
  const parts = others.map((ortho) => {
    const shape = formatShape(ortho.dims)
    const { orthos = 0, read = 0 } = seen.get(shape) ?? {}
    const among = read === orthos ? `of ${formatCount(orthos)}` : `of the ${formatCount(read)} read`
    return html`<div>
      <h3>${shape} <span class="note">${orthos === 1 ? 'the only one' : `the first ${among}`}</span></h3>
      ${grid(ortho, `grid-${shape}`)} ${linePlaces(ortho, occurrences)}
    </div>`
  })
  return [
    html`<p>
      All orthos of one shape are equally large; here is the first of each, in the order that also decides
      which is the optimal one.
      ${phrasesCut && 'There are too many lines to look up all of them in the text.'}
    </p>`,
    html`<div class="each">${parts}</div>`,
  ]
}

/** Said beside every number that is not counted to the last. */
function estimate({ summary, survey }: ReportData): string {
  if (survey.exact) return `counted over all ${plural(survey.read, 'ortho')}`
  return (
    `an estimate from ${formatCount(survey.read)} of ${formatCount(summary.orthoCount)} orthos, ` +
    'spread evenly over each shape'
  )
}

function wordsSection(data: ReportData): Content {
  const bars = data.survey.words.map(({ word, orthos }) => ({ label: wordMarkup(word), count: orthos }))
  return chart(
    html`The ${formatCount(bars.length)} words that stand in most orthos: ${estimate(data)}`,
    ['word', 'orthos'],
    bars,
  )
}

function originSection(data: ReportData): Content {
  const { summary, survey, texts } = data
  const { searches, origins } = survey
  const parts: Content[] = []
  if (texts.length > 1) {
    const bars = origins.each
      .slice(0, MOST_ROWS)
      .map((count, at) => ({ label: html`in ${wordMarkup(texts[at] ?? '')} by itself`, count }))
    bars.push({ label: html`in several texts, each by itself`, count: origins.several })
    bars.push({ label: html`in no text by itself`, count: origins.together })
    parts.push(
      chart(
        html`Orthos by the texts that have all their lines: ${estimate(data)}. The last are those that only
        the texts together have; one of several texts is counted with each of them.`,
        ['text', 'orthos'],
        bars,
      ),
    )
  }
  if (searches.length > 1) {
    const bars = searches.slice(0, MOST_ROWS).map(({ orthos, vocabulary }, at) => ({
      label:
        at === 0
          ? html`found by the merge that made this archive`
          : html`carried over from a merged archive of ${plural(vocabulary, 'distinct word')}`,
      count: orthos,
    }))
    parts.push(chart(html`Orthos by the search that found them first`, ['search', 'orthos'], bars))
  } else if (summary.orthoCount > 0) {
    parts.push(
      html`<p>
        All were found by one search${summary.input ? html` of ${wordMarkup(summary.input.name)}` : ''}.
      </p>`,
    )
  }
  parts.push(
    html`<h3>Lineage</h3>
      ${lineageTree(summary.lineage)}`,
  )
  return parts
}

function filterSection({ survey }: ReportData): Content {
  const sample = survey.shapes.filter((shape) => shape.sample.length > 0)
  const count = sample.reduce((sum, shape) => sum + shape.sample.length, 0)
  const options = sample.map(({ dims }) => html`<option>${formatShape(dims)}</option>`)
  return html`<p>
      Among ${plural(count, 'ortho')}, a sample taken evenly from each shape.
      <code>fold-worker orthos</code> with <code>--word</code> looks through all.
    </p>
    <form class="filter" id="filter" hidden>
      <label
        >word, or its beginning<input
          type="search"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
      /></label>
      <label
        >shape<select>
          <option value="">all</option>
          ${options}
        </select></label
      >
      <output aria-live="polite"></output>
    </form>
    <div class="found" id="found"></div>
    <noscript><p class="note">This part needs scripts to be allowed.</p></noscript>`
}

function sampleData({ survey }: ReportData): Markup | undefined {
  const shapes = survey.shapes.filter(({ sample }) => sample.length > 0)
  if (shapes.length === 0) return undefined
  const numbers = new Map<string, number>()
  const number = (word: string) => {
    const known = numbers.get(word) ?? numbers.size
    numbers.set(word, known)
    return known
  }
  const coded = shapes.map(({ dims, sample }) => ({ dims, orthos: sample.map((words) => words.map(number)) }))
  const data = jsonFor({ words: [...numbers.keys()], shapes: coded })
  return html`<script type="application/json" id="sample">
    ${data}
  </script>`
}

function archiveSection({ summary, survey, texts }: ReportData): Content {
  const { input, search, files, shards } = summary
  const rows: [string, Content][] = [
    ['complete', summary.complete ? 'yes: every ortho of the text is here' : html`no`],
    ...describeGaps(summary).map((line): [string, Content] => ['', line]),
    ...(shards.length > 0 ? ([['shards', shards.join(', ')]] as [string, Content][]) : []),
    ['distinct words', formatCount(summary.vocabulary)],
    ['size', `${formatSize(summary.bytes)} of results`],
    ...(input
      ? ([['text', html`${wordMarkup(input.name)}, ${formatSize(input.bytes)}`]] as [string, Content][])
      : []),
    ...(input ? ([['SHA-256 of the text', digest(input.sha256)]] as [string, Content][]) : []),
    ['content digest', digest(summary.contentDigest)],
    [
      'written by',
      `${summary.program}, format ${summary.formatVersion}, rules for words ${summary.tokenizer}`,
    ],
    ...(search
      ? ([
          ['made in', formatSeconds(search.elapsedSeconds)],
          ['made with', `${plural(search.threads, 'thread')}, ${formatSize(search.memory)} of memory`],
        ] as [string, Content][])
      : []),
    ['read for this page', survey.exact ? 'all orthos' : `${formatCount(survey.read)} orthos`],
    ...(texts.length > 0
      ? ([['texts looked into', texts.slice(0, MOST_ROWS).map((text) => html`${wordMarkup(text)} `)]] as [
          string,
          Content,
        ][])
      : []),
  ]
  const listed = Object.entries(files)
  const sums = listed.slice(0, MOST_FILES).map(
    ([path, { bytes, sha256 }]) =>
      html`<tr>
        <th scope="row"><code>${path}</code></th>
        <td class="n">${formatCount(bytes)}</td>
        <td>${digest(sha256)}</td>
      </tr>`,
  )
  return html`<dl class="facts">
      ${rows.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    <details>
      <summary>SHA-256 of its ${plural(listed.length, 'file')}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="files">
        <table class="chart">
          <thead>
            <tr>
              <th scope="col">file</th>
              <th scope="col">bytes</th>
              <th scope="col">SHA-256</th>
            </tr>
          </thead>
          <tbody>
            ${sums}
          </tbody>
        </table>
      </div>
      ${
        listed.length > sums.length &&
        html`<p class="note">and ${formatCount(listed.length - sums.length)} more, in SHA256SUMS</p>`
      }
    </details>`
}

function digest(text: string): Markup {
  return html`<span class="digest">${text}</span>`
}
