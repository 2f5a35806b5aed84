/** The lineage of an archive as a tree. */
import { parseLineage, type Lineage } from '../merge/lineage.js'
import { formatCount, plural } from './numbers.js'

/** How much of a tree is drawn. */
export interface LineageBounds {
  /** Levels below the first line. */
  depth?: number
  /** Parts of one merge. */
  width?: number
  /** Lines in all. */
  lines?: number
}

/** For a screen. */
export const BRIEF: Required<LineageBounds> = { depth: 4, width: 12, lines: 40 }

interface Drawn {
  part: Lineage
  /** What stands before the branches of this part. */
  margin: string
  /** What stands before the part itself. */
  branch: string
  depth: number
}

/** A line a part: a text by its name, a merge by how many texts it holds. Without recursion, as merges nest deeply. */
export function drawLineage(lineage: string, bounds: LineageBounds = {}): string[] {
  const { depth: deepest = Infinity, width = Infinity, lines: most = Infinity } = bounds
  const tree = parseLineage(lineage)
  const sizes = countTexts(tree)
  const lines: string[] = []
  const todo: Drawn[] = [{ part: tree, margin: '', branch: 'lineage     ', depth: 0 }]
  let hidden = false
  for (let drawn = todo.pop(); drawn; drawn = todo.pop()) {
    const { part, margin, branch, depth } = drawn
    if (lines.length >= most) {
      hidden = true
      break
    }
    lines.push(branch + label(part, sizes))
    if (typeof part === 'string') continue
    if (depth >= deepest) {
      hidden = true
      continue
    }
    const shown = part.slice(0, part.length > width ? width - 1 : width)
    const more = part.length - shown.length
    const children = shown.map((child, at): Drawn => {
      const last = at === shown.length - 1 && more === 0
      return {
        part: child,
        margin: `${margin}${last ? '   ' : '│  '}`,
        branch: `${margin}${last ? '└─ ' : '├─ '}`,
        depth: depth + 1,
      }
    })
    if (more > 0) {
      hidden = true
      const rest = part.slice(shown.length).reduce<number>((sum, child) => sum + size(child, sizes), 0)
      children.push({
        part: `${formatCount(more)} more, ${plural(rest, 'text')}`,
        margin,
        branch: `${margin}└─ … `,
        depth,
      })
    }
    for (const child of children.toReversed()) todo.push(child)
  }
  return hidden ? [...lines, '(shortened; --lineage shows all)'] : lines
}

function label(part: Lineage, sizes: ReadonlyMap<Lineage, number>): string {
  // A name may hold anything; a control character must not reach the terminal.
  if (typeof part === 'string') return part.replace(/\p{Cc}/gu, '\ufffd')
  return `merge of ${plural(part.length, 'archive')}, ${plural(size(part, sizes), 'text')}`
}

function size(part: Lineage, sizes: ReadonlyMap<Lineage, number>): number {
  return typeof part === 'string' ? 1 : (sizes.get(part) ?? 0)
}

/** The number of names in every merge of a tree, the same name counted as often as it comes. */
function countTexts(tree: Lineage): Map<Lineage, number> {
  const sizes = new Map<Lineage, number>()
  const inOrder: Lineage[][] = []
  const todo = [tree]
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (typeof part === 'string') continue
    inOrder.push(part)
    // One by one: a merge may have more parts than a call takes arguments.
    for (const child of part) todo.push(child)
  }
  for (const part of inOrder.toReversed()) {
    sizes.set(
      part,
      part.reduce<number>((sum, child) => sum + size(child, sizes), 0),
    )
  }
  return sizes
}
