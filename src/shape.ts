/** Shapes and cells of orthos (SPEC: cells are listed by shell, then lexicographically by coordinates). */
import { FoldError } from './errors.js'

/** `2x3` as `[2, 3]`. Axis order does not matter to an ortho, so the result is ascending, as stored. */
export function parseShape(text: string): number[] {
  const parts = text.trim().toLowerCase().split(/[x×]/)
  const dims = parts.map(Number)
  if (parts.length < 2 || !dims.every((d, i) => /^\d+$/.test(parts[i] ?? '') && d >= 2 && d < 2 ** 32)) {
    throw new FoldError(
      'INVALID_ARGUMENT',
      `"${text}" is not a shape: write two or more lengths of at least 2, such as 2x3 or 2x2x2`,
    )
  }
  return dims.sort((a, b) => a - b)
}

/** `[2, 3]` as `2x3`. */
export function formatShape(dims: readonly number[]): string {
  return dims.join('x')
}

/** Every coordinate of a grid in the order in which an ortho lists its words. */
export function cellsOf(dims: readonly number[]): number[][] {
  let cells: number[][] = [[]]
  for (const d of dims) cells = cells.flatMap((c) => Array.from({ length: d }, (_, i) => [...c, i]))
  // The cells are in lexicographic order already, and sorting is stable.
  return cells.sort((a, b) => shellOf(a) - shellOf(b))
}

/** The coordinate sum of a cell. */
function shellOf(cell: readonly number[]): number {
  return cell.reduce((a, b) => a + b, 0)
}

/** Shapes in the order people expect: fewer dimensions first, then by lengths. */
export function compareShapes(a: string, b: string): number {
  const [x, y] = [a.split('x').map(Number), b.split('x').map(Number)]
  if (x.length !== y.length) return x.length - y.length
  const i = x.findIndex((d, k) => d !== y[k])
  return i < 0 ? 0 : (x[i] ?? 0) - (y[i] ?? 0)
}

/** The lines of an ortho: along every axis the words from coordinate 0 on, axis by axis. */
export function linesOf(
  dims: readonly number[],
  words: readonly string[],
): { axis: number; words: string[] }[] {
  const cells = cellsOf(dims)
  const at = new Map(cells.map((cell, i) => [cell.join(), words[i] ?? '']))
  return dims.flatMap((length, axis) =>
    cells
      .filter((cell) => cell[axis] === 0)
      .map((cell) => ({
        axis,
        words: Array.from({ length }, (_, i) => at.get(cell.with(axis, i).join()) ?? ''),
      })),
  )
}
