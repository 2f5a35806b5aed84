/**
 * Lineages, as `docs/formats/archive.md` defines them: `"a"` for a text, `("a" "b")` for a merge. Read without
 * recursion, so that no depth overflows the stack.
 */
import { FoldError } from '../errors.js'

/** A text by its name, or a merge of several. */
export type Lineage = string | Lineage[]

const TOKEN = /\s*(?:([()])|"((?:[^"\\]|\\.)*)")/su
const ESCAPE = /\\(?:u\{([0-9a-f]{1,6})\}|(.))/gsu
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** Each part of a lineage in turn. */
function* tokens(text: string): Generator<'(' | ')' | { name: string }> {
  const token = new RegExp(TOKEN, 'suy')
  const end = text.trimEnd().length
  while (token.lastIndex < end) {
    const at = token.lastIndex
    const [, parenthesis, name] = token.exec(text) ?? []
    if (parenthesis === '(' || parenthesis === ')') yield parenthesis
    else if (name !== undefined) yield { name: unescape(name) }
    else throw new FoldError('DAMAGED', `a lineage cannot be read at character ${at}`)
  }
}

function unescape(name: string): string {
  return name.replace(ESCAPE, (_whole, code: string | undefined, letter: string | undefined) => {
    if (code !== undefined) return String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff))
    return ESCAPED[letter ?? ''] ?? letter ?? ''
  })
}

/** The tree of a lineage. */
export function parseLineage(text: string): Lineage {
  const root: Lineage[] = []
  const open: Lineage[][] = [root]
  for (const token of tokens(text)) {
    if (token === '(') {
      const inner: Lineage[] = []
      open.at(-1)?.push(inner)
      open.push(inner)
    } else if (token === ')') {
      open.pop()
    } else {
      open.at(-1)?.push(token.name)
    }
    if (open.length === 0) break
  }
  const [whole, ...rest] = root
  if (open.length !== 1 || whole === undefined || rest.length > 0) {
    throw new FoldError('DAMAGED', 'a lineage must be one name in quotes or one list in parentheses')
  }
  return whole
}

/** The names of the texts in a lineage, each once, in the order in which they come. */
export function lineageNames(text: string): string[] {
  const names = new Set<string>()
  for (const token of tokens(text)) if (typeof token === 'object') names.add(token.name)
  return [...names]
}
