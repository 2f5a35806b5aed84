/** How a text is cut, as a table for people. */
import type { StagePlan } from '../stage/stage.js'
import { clip } from './clip.js'
import { formatCount, plural } from './numbers.js'
import { meterFor } from './width.js'

/** A line a piece, then what was or would be done. */
export async function describeStage(
  { source, pieces, found }: StagePlan,
  { to, written, columns }: { to: string; written: boolean; columns: number },
): Promise<string[]> {
  const meter = await meterFor(pieces.flatMap(({ name, title }) => [name, title]))
  const left = Math.max(0, ...pieces.map(({ name }) => meter(name)))
  const right = Math.max(0, ...pieces.map(({ bytes }) => formatCount(bytes).length))
  const lines = pieces.map(({ name, bytes, title }) => {
    const start = `${name}${' '.repeat(left - meter(name))}  ${formatCount(bytes).padStart(right)}  `
    return (start + clip(title, Math.max(20, columns - 1 - meter(start)), meter)).trimEnd()
  })
  const outcome = written ? `written to ${to}` : `would be written to ${to} (--dry-run: nothing was)`
  return [
    ...lines,
    '',
    `${source}: ${plural(found, 'line begins', 'lines begin')} with the delimiter; ${plural(pieces.length, 'piece')} ${outcome}`,
  ]
}
