/** The figures of a report: grids, charts, places of phrases, the tree of the lineage. */
import { parseLineage, type Lineage } from '../../merge/lineage.js'
import { cellsOf, formatShape, linesOf } from '../../shape.js'
import { formatCount, plural } from '../numbers.js'
import { MOST_CELLS, isDrawable, type Drawn, type Occurrences, type Place } from './data.js'
import { html, type Content, type Markup } from './markup.js'

/** A row of a chart. */
export interface Bar {
  label: Content
  count: number
}

/** Numbers as a table with bars. With `logarithmic`, as counts of orthos span many powers of ten. */
export function chart(
  caption: Content,
  heads: readonly [string, string],
  bars: readonly Bar[],
  { logarithmic = false }: { logarithmic?: boolean } = {},
): Markup {
  const length = (count: number) => (logarithmic ? Math.log10(count + 1) : count)
  let longest = 0
  for (const { count } of bars) longest = Math.max(longest, length(count))
  const rows = bars.map(({ label, count }) => {
    const width = longest > 0 ? Math.max(count > 0 ? 0.4 : 0, (length(count) / longest) * 100) : 0
    return html`<tr>
      <th scope="row">${label}</th>
      <td class="n">${formatCount(count)}</td>
      <td class="b">
        <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
          <rect width="${width.toFixed(2)}" height="4"></rect>
        </svg>
      </td>
    </tr>`
  })
  return html`<table class="chart">
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">${heads[0]}</th>
        <th scope="col">${heads[1]}</th>
        <td></td>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

/** A word in its own direction. */
export function wordMarkup(word: string): Markup {
  return html`<bdi lang="">${word}</bdi>`
}

/** An ortho as grids: one for two dimensions, else one for each place on the leading axes, to be stepped through. */
export function grid(ortho: Drawn, id: string): Markup {
  const { dims, words } = ortho
  if (!isDrawable(ortho)) {
    const shown = words.slice(0, MOST_CELLS).map((word) => html`${wordMarkup(word)} `)
    return html`<p class="note">
        Too large to draw; its first ${formatCount(MOST_CELLS)} words by distance from the origin:
      </p>
      <p lang="">${shown} …</p>`
  }
  const at = new Map(cellsOf(dims).map((cell, i) => [cell.join(), words[i] ?? '']))
  const [rows = 0, columns = 0] = dims.slice(-2)
  const leading = dims.slice(0, -2)
  let slices: number[][] = [[]]
  for (const d of leading)
    slices = slices.flatMap((slice) => Array.from({ length: d }, (_, i) => [...slice, i]))
  const tables = slices.map((slice) => {
    // One grid stands under a heading that names its shape; who listens goes from table to table.
    const name =
      slice.length > 0
        ? html`slice (${[...slice, '·', '·'].join(', ')})`
        : html`<span class="heard">${formatShape(dims)}: ${rows} rows, ${columns} columns</span>`
    const lines = Array.from({ length: rows }, (_row, row) => {
      const cells = Array.from(
        { length: columns },
        (_column, column) => html`<td dir="auto">${at.get([...slice, row, column].join()) ?? ''}</td>`,
      )
      return html`<tr>
        ${cells}
      </tr>`
    })
    return html`<table class="grid" lang="">
      <caption lang="en">
        ${name}
      </caption>
      <tbody>
        ${lines}
      </tbody>
    </table>`
  })
  const label = `Slices of the ${formatShape(dims)}`
  return html`${
      slices.length > 1 &&
      html`<div class="stepper" role="group" aria-label="${label}" data-for="${id}" hidden></div>`
    }
    <div class="scroll" tabindex="0" role="region" aria-label="${formatShape(dims)} grid">
      <div class="slices" id="${id}">${tables}</div>
    </div>`
}

/** The lines of an ortho, each once, with where they stand. */
export function linePlaces(
  { dims, words }: Drawn,
  occurrences: ReadonlyMap<string, Occurrences>,
): Markup | undefined {
  const phrases = [...new Map(linesOf(dims, words).map((line) => [line.words.join(' '), line.words]))]
  const known = phrases.filter(([key]) => occurrences.has(key))
  if (known.length === 0) return undefined
  const rows = known.map(([key, phrase]) => {
    const { count, places } = occurrences.get(key) ?? { count: 0, places: [] }
    const more = count - places.length
    const items = places.map((place) => html`<li>${placeMarkup(place, phrase)}</li>`)
    return html`<tr>
      <th scope="row">${wordMarkup(key)}</th>
      <td>
        <ul>
          ${items} ${more > 0 && html`<li>and ${plural(more, 'more place')}</li>`}
          ${count === 0 && html`<li>in none of the texts given</li>`}
        </ul>
      </td>
    </tr>`
  })
  return html`<details>
    <summary>Where its ${plural(known.length, 'line')} stand in the text</summary>
    <table class="places">
      <tbody>
        ${rows}
      </tbody>
    </table>
  </details>`
}

/** Characters around a phrase that are shown of a line. */
const AROUND = 60

function placeMarkup(place: Place, phrase: readonly string[]): Markup {
  if (place.kind === 'sentence') {
    const { words, before } = place
    const join = (from: number, to?: number) => words.slice(from, to).join(' ')
    return html`<q dir="auto" lang=""
      >${join(0, before)} <mark>${join(before, before + phrase.length)}</mark> ${join(
        before + phrase.length,
      )}</q
    >`
  }
  const [left, middle, right] = findPhrase(place.excerpt, phrase)
  return html`${wordMarkup(place.text)}, line ${formatCount(place.line)}:
    <q dir="auto" lang="">${left}<mark>${middle}</mark>${right}</q>`
}

/** What is before, in and after the first place of the phrase in a stretch of text; cut to what can be shown. */
function findPhrase(text: string, phrase: readonly string[]): [string, string, string] {
  const escaped = phrase.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll("'", "['’]"))
  const pattern = new RegExp(`(?<![\\p{L}\\p{M}])${escaped.join('[^\\p{L}\\p{M}]+')}(?![\\p{L}\\p{M}])`, 'iu')
  const whole = text.normalize('NFC')
  const match = pattern.exec(whole)
  if (!match) return [cut(whole, 2 * AROUND), '', '']
  const start = match.index
  const end = start + match[0].length
  const left = whole.slice(0, start)
  // What stands in the lines below belongs to other sentences more often than not.
  const right = whole.slice(end).split(/[\r\n]/, 1)[0] ?? ''
  const before = [...left]
  const shown = before.length > AROUND ? `…${before.slice(-AROUND).join('')}` : left
  return [shown, match[0], cut(right, AROUND)]
}

function cut(text: string, most: number): string {
  const characters = [...text]
  return characters.length > most ? `${characters.slice(0, most).join('')}…` : text
}

/** Parts of a lineage that are shown at most, in all, below one merge, and one below the other. */
const MOST_PARTS = 2000
const MOST_BELOW = 200
const MOST_DEPTH = 40

/** The lineage as nested lists. */
export function lineageTree(lineage: string): Markup {
  let left = MOST_PARTS
  const tree = parseLineage(lineage)
  const draw = (part: Lineage, depth: number): Markup => {
    left -= 1
    if (typeof part === 'string') return html`<li>${wordMarkup(part)}</li>`
    const label = `merge of ${plural(part.length, 'archive')}`
    if (depth >= MOST_DEPTH) return html`<li>${label} …</li>`
    const parts: Markup[] = []
    for (const child of part) {
      if (left <= 0 || parts.length >= MOST_BELOW) break
      parts.push(draw(child, depth + 1))
    }
    const more = part.length - parts.length
    return html`<li>
      ${label}
      <ul>
        ${parts} ${more > 0 && html`<li>… and ${formatCount(more)} more</li>`}
      </ul>
    </li>`
  }
  return html`<ul class="tree">
    ${draw(tree, 0)}
  </ul>`
}
