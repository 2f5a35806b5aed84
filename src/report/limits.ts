/** What people are told of an archive that does not hold everything. */
import { shardsOf } from '../merge/grouping.js'
import { formatSize } from '../machine/size.js'
import type { Limit, Manifest, Proof } from '../manifest.js'
import { formatCount, formatSeconds, plural } from './numbers.js'

/** A limit as a reason: `after 1,000 orthos`. */
export function describeLimit({ name, value }: Limit): string {
  switch (name) {
    case 'maxOrthos':
      return `after ${plural(value, 'ortho')} (--max-orthos)`
    case 'maxTime':
      return `after ${formatSeconds(value)} (--max-time)`
    case 'maxDisk':
      return `at ${formatSize(value)} of disk (--max-disk)`
    case 'diskReserve':
      return `as less than ${formatSize(value)} of the disk were free (--disk-reserve)`
    case 'maxDims':
      return `at ${value} dimensions (--max-dims)`
    case 'memory':
      return `as ${formatSize(value)} of memory were not enough (--memory)`
    case 'effort':
      return `before 3x3x3x3, as there are more than ${formatCount(value)} 3x3 to look at (--max-time goes on as long as that)`
    case 'stopped':
      return 'when asked to'
    default:
      return `by ${String(name)} ${formatCount(value)}`
  }
}

/** All limits as one line of reasons. */
export function describeLimitList(limits: readonly Limit[]): string {
  return limits.map(describeLimit).join('; ')
}

/** Shards named in a line, no matter how many. */
export function describeShards(shards: readonly string[]): string {
  const most = 12
  const named = shards.slice(0, most).join(', ')
  return shards.length > most ? `${named} and ${formatCount(shards.length - most)} more` : named
}

/** What a proof leaves open, in lines; none if it is whole. */
function describeOpen({ open, unranked }: Proof): string[] {
  const lines: string[] = []
  if (open !== null) lines.push(`volumes of ${formatCount(open)} and more are not excluded`)
  if (unranked !== null && unranked > 0) {
    lines.push(`not all orthos of volume ${formatCount(unranked)} and less were compared`)
  }
  return lines
}

/** Lines about what an archive lacks; none if it is complete. */
export function describeGaps(manifest: Manifest): string[] {
  const { complete, limits, shards, proof } = manifest
  if (complete) return []
  const lines: string[] = []
  if (limits.length > 0) lines.push(`incomplete: stopped ${describeLimitList(limits)}`)
  if (proof) return [...lines, ...describeOpen(proof)]
  if (shards.length > 0) {
    const { missing } = shardsOf([manifest])
    const part = `${shards.length === 1 ? 'shard' : 'shards'} ${describeShards(shards)} of the text`
    lines.push(missing.length > 0 ? `${part}; missing: ${describeShards(missing)}` : part)
  }
  return lines.length > 0 ? lines : ['incomplete: it was made of incomplete archives']
}
