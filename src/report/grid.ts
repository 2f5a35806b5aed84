/** Draws an ortho: two dimensions as one grid, more as slices of the last two axes, each with its coordinates. */
import { cellsOf } from '../shape.js'
import { meterFor, type Meter } from './width.js'

/** Lines that show the ortho of these dimensions and words (in cell order). */
export async function drawOrtho(dims: readonly number[], words: readonly string[]): Promise<string[]> {
  const meter = await meterFor(words)
  const at = new Map(cellsOf(dims).map((cell, i) => [cell.join(), words[i] ?? '']))
  const [rows = 0, columns = 0] = dims.slice(-2)
  const slices = cellsOf(dims.slice(0, -2)).sort(lexicographic)
  // One set of widths for all slices, so that equal coordinates stand under each other.
  const widths = Array.from({ length: columns }, (_, column) => {
    const inColumn = [...at].filter(([cell]) => Number(cell.split(',').at(-1)) === column)
    return Math.max(...inColumn.map(([, word]) => meter(word)))
  })
  return slices.flatMap((slice, i) => {
    const body = Array.from({ length: rows }, (_, row) =>
      widths.map((_width, column) => at.get([...slice, row, column].join()) ?? ''),
    )
    const label = slice.length === 0 ? [] : [`${i ? '\n' : ''}(${[...slice, '·', '·'].join(', ')})`]
    return [...label.flatMap((l) => l.split('\n')), ...drawTable(body, widths, meter)]
  })
}

function drawTable(body: readonly (readonly string[])[], widths: readonly number[], meter: Meter): string[] {
  const rule = (left: string, middle: string, right: string) =>
    left + widths.map((w) => '─'.repeat(w + 2)).join(middle) + right
  const lines = body.map(
    (row) => `│${row.map((word, i) => ` ${word + ' '.repeat((widths[i] ?? 0) - meter(word))} `).join('│')}│`,
  )
  return [
    rule('┌', '┬', '┐'),
    ...lines.flatMap((line, i) => (i === 0 ? [line] : [rule('├', '┼', '┤'), line])),
    rule('└', '┴', '┘'),
  ]
}

function lexicographic(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((x, k) => x !== b[k])
  return i < 0 ? 0 : (a[i] ?? 0) - (b[i] ?? 0)
}
