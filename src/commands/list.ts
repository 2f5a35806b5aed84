/** `fold-worker list`: what is in the buckets, and what is still to do. */
import { Command, Option } from 'clipanion'
import type { ArchiveFacts } from '../archiving/facts.js'
import { FoldError } from '../errors.js'
import { formatSize } from '../machine/size.js'
import { plural } from '../report/numbers.js'
import type { Coverage } from '../storage/coverage.js'
import type { StoredArchive } from '../storage/s3-io.js'
import { FoldCommand } from './base.js'

export class ListCommand extends FoldCommand {
  static override paths = [['list']]
  static override usage = Command.Usage({
    description: 'show the inputs and archives in the buckets',
    details: `
      Inputs with what they have: a complete archive, all shards, something incomplete, or nothing; or the archives. The
      buckets are those of the environment, see docs/cloud.md; no archive is downloaded.
    `,
    examples: [
      ['Inputs, and which still lack a complete archive', '$0 list'],
      ['Archives of one folder, for a script', '$0 list archives --prefix books/ --json'],
    ],
  })

  what = Option.String({ required: false })
  prefix = Option.String('--prefix', '', { description: 'Only keys that begin so' })
  missing = Option.Boolean('--missing', false, { description: 'Only inputs without a complete archive' })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object for each' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const what = this.what ?? 'inputs'
    if (what !== 'inputs' && what !== 'archives') {
      throw new FoldError('INVALID_ARGUMENT', `list shows inputs or archives, not "${what}"`)
    }
    const { effects } = this.context
    const [{ S3IO }, { coverage }] = await Promise.all([
      import('../storage/s3-io.js'),
      import('../storage/coverage.js'),
    ])
    const io = S3IO.fromEnv(effects.env, { world: effects })
    if (what === 'archives') {
      let count = 0
      for await (const archive of io.listArchives(this.prefix, { signal })) {
        count += 1
        await (this.json ? this.printJson(archive) : this.print(describeArchive(archive)))
      }
      if (!this.json) await this.print(plural(count, 'archive'))
      return 0
    }
    const inputs = []
    for await (const input of io.listInputs(this.prefix, { signal })) inputs.push(input)
    const archives = []
    for await (const archive of io.listArchives('', { signal })) archives.push(archive)
    const covered = coverage(inputs, archives)
    const lacking = covered.filter(({ state }) => state === 'none' || state === 'incomplete')
    for (const one of this.missing ? lacking : covered) {
      const { input, state, orthoCount } = one
      const value = { ...input, state, orthoCount, archives: one.archives.map(({ key }) => key) }
      await (this.json ? this.printJson(value) : this.print(describeInput(one)))
    }
    if (!this.json) {
      await this.print(`${plural(covered.length, 'input')}, ${lacking.length} without a complete archive`)
    }
    return 0
  }
}

const STATES: Readonly<Record<Coverage['state'], string>> = {
  complete: 'complete',
  sharded: 'complete in shards',
  incomplete: 'incomplete',
  none: 'no archive',
}

function describeInput({ input, state, orthoCount, archives }: Coverage): string {
  const found = archives.length === 0 ? '' : `, ${plural(orthoCount, 'ortho')}`
  return `${oneLine(input.key)}  ${formatSize(input.bytes)}  ${STATES[state]}${found}`
}

function describeArchive({ key, bytes, facts }: StoredArchive): string {
  const said = facts
    ? `${plural(facts.orthoCount, 'ortho')}, ${facts.complete ? 'complete' : describePart(facts)}`
    : 'says nothing about itself'
  return `${oneLine(key)}  ${formatSize(bytes)}  ${said}`
}

function describePart({ shards, limits, top }: ArchiveFacts): string {
  if (top !== undefined && limits.length === 0) return 'the best, proved'
  const held = top === undefined ? [] : ['the best by then']
  if (shards.length > 0) held.push(`shards ${shards.join(' ')}`)
  return (
    [...held, ...(limits.length > 0 ? [`incomplete (${limits.join(', ')})`] : [])].join(', ') || 'incomplete'
  )
}

/** Keys may hold anything, a line feed too. */
function oneLine(key: string): string {
  return JSON.stringify(key).slice(1, -1)
}
