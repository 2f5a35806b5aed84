/** What local mode tells people. */
import { isWhole, type ArchiveSummary } from '../manifest.js'
import type { LocalEvent } from '../state/local.js'
import { describeGaps } from './limits.js'
import { formatCount, plural } from './numbers.js'
import { describeFinds } from './summary.js'

/** The most names in a line. */
const MOST_NAMED = 4

/** Lines for standard output; nothing for events that are told on standard error. */
export async function describeLocal(event: LocalEvent): Promise<string[]> {
  switch (event.kind) {
    case 'empty':
      return [`No text waits in ${event.input}: put *.txt files there and start again.`]
    case 'started':
      return [`${event.name}${event.waiting > 0 ? ` (${formatCount(event.waiting)} more waiting)` : ''}`]
    case 'done':
      return [
        ...(await describeFinds(event.summary)).map(indent),
        ...describeGaps(event.summary).map(indent),
        `  archive: ${event.summary.archive}`,
        '',
      ]
    case 'merging':
      return [`merging ${listed(event.names)}${event.complete ? '' : ' (not all of them complete)'}`]
    case 'merged':
      return [`  ${plural(event.summary.orthoCount, 'ortho')}: ${event.summary.archive}`]
    case 'result':
      return describeResult(event)
    default:
      return []
  }
}

/** A line for standard error about what did not go as wished, or what somebody else does. */
export function describeLocalNotice(event: LocalEvent): string | undefined {
  switch (event.kind) {
    case 'left':
      return `${event.path}: left alone: ${event.why}`
    case 'conflict':
      return (
        `${event.archives.join(', ')}: left alone: they hold different texts under the name "${event.name}"; ` +
        'take all but one of them away, or merge them with fold-worker merge --by-input'
      )
    case 'takenOver':
      return `${event.name}: taken over, as its owner gave no sign of life`
    case 'lost':
      return `${event.name || 'a merge'}: taken over by another process meanwhile; going on with other work`
    case 'waiting':
      return (
        `waiting for ${plural(event.works.length, 'work', 'works')} of other processes: ${listed(event.works)}; ` +
        'what gives no sign of life for the time of --stale-after is taken over'
      )
    default:
      return undefined
  }
}

async function describeResult({ archives, own }: LocalEvent & { kind: 'result' }): Promise<string[]> {
  const [only, ...others] = archives
  if (!only) return []
  if (others.length > 0) {
    return [`${plural(archives.length, 'archive')}:`, ...archives.map((one) => `  ${line(one)}`)]
  }
  if (!own) return [`all is done: ${line(only)}`]
  return [
    '',
    'all texts together:',
    ...(await describeFinds(only)),
    '',
    ...describeGaps(only),
    plural(only.orthoCount, 'ortho'),
    `archive: ${only.archive}`,
  ]
}

function line(summary: ArchiveSummary): string {
  const { archive, orthoCount, goal } = summary
  const what = goal === 'optimal' ? `the best ${orthoCount}` : plural(orthoCount, 'ortho')
  return `${archive} (${what}${isWhole(summary) ? '' : ', incomplete'})`
}

function indent(text: string): string {
  return text === '' ? '' : `  ${text}`
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return more > 0
    ? `${names.slice(0, MOST_NAMED).join(', ')} and ${formatCount(more)} more`
    : names.join(', ')
}
