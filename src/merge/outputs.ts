/** Where archives go when there is one for each input. */
import type { InputGroup } from './grouping.js'

/** Hex digits of a text's SHA-256 that tell apart what has one name. */
const DIGITS = 12
const LONGEST_PART = 200

/**
 * Paths within a directory, one for each group, in order: `NAME.bin`, folders in the name kept. Names that several
 * different texts have get the beginning of the text's SHA-256. Names come from archives that anybody may have made,
 * so what would lead out of the directory, or could not be a name, is written with `%` and its code instead.
 */
export function outputPaths(groups: readonly InputGroup[]): string[] {
  const plain = groups.map(({ input }) => pathOf(input.name))
  // A file system may not tell capitals from small letters.
  const times = new Map<string, number>()
  for (const path of plain) times.set(path.toLowerCase(), (times.get(path.toLowerCase()) ?? 0) + 1)
  return plain.map((path, at) => {
    const shared = (times.get(path.toLowerCase()) ?? 0) > 1
    return `${path}${shared ? `-${groups[at]?.input.sha256.slice(0, DIGITS)}` : ''}.bin`
  })
}

function pathOf(name: string): string {
  return name.split('/').map(partOf).join('/')
}

function partOf(part: string): string {
  const safe = part.replace(/[\\\p{Cc}%:]/gu, percent).replace(/^\./, percent)
  if (safe === '') return '%'
  let short = safe
  while (Buffer.byteLength(short) > LONGEST_PART) short = [...short].slice(0, -1).join('')
  return short
}

function percent(character: string): string {
  return encodeURIComponent(character).replace('.', '%2E')
}
