/** Draws an ortho: two dimensions as one grid, more as slices of the last two axes, each with its coordinates. */
import { cellsOf } from '../shape.js'
import { clip } from './clip.js'
import { meterFor, type Meter } from './width.js'

/** One slice as rows of words, and where it lies on the leading axes. */
interface Slice {
  at: readonly number[]
  rows: readonly (readonly string[])[]
}

/** Lines that show the ortho of these dimensions and words (in cell order). */
export async function drawOrtho(dims: readonly number[], words: readonly string[]): Promise<string[]> {
  const meter = await meterFor(words)
  const slices = slicesOf(dims, words)
  const widths = columnWidths(slices, meter)
  return slices.flatMap((slice, i) => {
    const label = slice.at.length === 0 ? [] : [...(i > 0 ? [''] : []), sliceLabel(slice)]
    return [...label, ...drawTable(slice.rows, widths, meter)]
  })
}

/**
 * The same for a screen of so many columns: slices side by side as far as there is room, and words cut where a grid is
 * too wide; if even that does not do, the words alone.
 */
export function drawSlices(
  dims: readonly number[],
  words: readonly string[],
  columns: number,
  meter: Meter,
): string[] {
  const slices = slicesOf(dims, words)
  let widths = columnWidths(slices, meter)
  // Each column has a rule and two spaces, and there is one more rule at the end.
  const room = columns - 1 - 3 * widths.length
  if (room < LEAST_WORD * widths.length) return [clip(words.map(isolate).join(' '), columns, meter)]
  widths = shrink(widths, room)
  const drawn = slices.map((slice) => {
    const rows = slice.rows.map((row) => row.map((word, i) => clip(word, widths[i] ?? 0, meter)))
    const table = drawTable(rows, widths, meter)
    return slice.at.length === 0 ? table : [sliceLabel(slice), ...table]
  })
  const each = Math.max(...(drawn[0] ?? ['']).map((line) => meter(line)))
  const abreast = Math.max(1, Math.floor((columns + GAP) / (each + GAP)))
  const lines: string[] = []
  for (let from = 0; from < drawn.length; from += abreast) {
    const group = drawn.slice(from, from + abreast)
    for (let row = 0; row < (group[0]?.length ?? 0); row += 1) {
      const parts = group.map((slice) => slice[row] ?? '')
      lines.push(
        parts
          .map((part) => part + ' '.repeat(each - meter(part)))
          .join(' '.repeat(GAP))
          .trimEnd(),
      )
    }
  }
  return lines
}

/** Columns of a word that is cut, at least, and between slices that stand side by side. */
const LEAST_WORD = 3
const GAP = 2

/** Takes columns from the widest until the sum is no more than `room`. */
function shrink(widths: readonly number[], room: number): number[] {
  const result = [...widths]
  for (let over = result.reduce((a, b) => a + b, 0) - room; over > 0; over -= 1) {
    const widest = result.indexOf(Math.max(...result))
    result[widest] = (result[widest] ?? 1) - 1
  }
  return result
}

function slicesOf(dims: readonly number[], words: readonly string[]): Slice[] {
  const at = new Map(cellsOf(dims).map((cell, i) => [cell.join(), words[i] ?? '']))
  const [rows = 0, columns = 0] = dims.slice(-2)
  return cellsOf(dims.slice(0, -2))
    .sort(lexicographic)
    .map((slice) => ({
      at: slice,
      rows: Array.from({ length: rows }, (_r, row) =>
        Array.from({ length: columns }, (_c, column) => at.get([...slice, row, column].join()) ?? ''),
      ),
    }))
}

/** One set of widths for all slices, so that equal coordinates stand under each other. */
function columnWidths(slices: readonly Slice[], meter: Meter): number[] {
  const widths = (slices[0]?.rows[0] ?? []).map(() => 0)
  for (const { rows } of slices) {
    for (const row of rows) {
      for (const [i, word] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, meter(word))
    }
  }
  return widths
}

function sliceLabel({ at }: Slice): string {
  return `(${[...at, '·', '·'].join(', ')})`
}

function drawTable(body: readonly (readonly string[])[], widths: readonly number[], meter: Meter): string[] {
  const rule = (left: string, middle: string, right: string) =>
    left + widths.map((w) => '─'.repeat(w + 2)).join(middle) + right
  const cell = (word: string, i: number) => ` ${isolate(word)}${' '.repeat((widths[i] ?? 0) - meter(word))} `
  const lines = body.map((row) => `│${row.map(cell).join('│')}│`)
  return [
    rule('┌', '┬', '┐'),
    ...lines.flatMap((line, i) => (i === 0 ? [line] : [rule('├', '┼', '┤'), line])),
    rule('└', '┴', '┘'),
  ]
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * A word that is written from right to left, so that it does not turn around what stands beside it: between the marks
 * for a first strong isolate and its end, which take no column.
 */
export function isolate(word: string): string {
  return RIGHT_TO_LEFT.test(word) ? `\u2068${word}\u2069` : word
}

function lexicographic(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((x, k) => x !== b[k])
  return i < 0 ? 0 : (a[i] ?? 0) - (b[i] ?? 0)
}
