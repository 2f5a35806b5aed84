/** `fold-worker reap`: destroys droplets that are done. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import type { Droplet } from '../fleet/doctl.js'
import { parseDuration } from '../machine/duration.js'
import { formatSeconds } from '../report/numbers.js'
import { FoldCommand } from './base.js'

export class ReapCommand extends FoldCommand {
  static override paths = [['reap']]
  static override usage = Command.Usage({
    description: 'destroy droplets of `spawn` that are off or too old',
    details: `
      A droplet that is merely off is billed like one that runs. Of the droplets with the tag, those that are off or older than
      \`--max-age\` are destroyed, others are left alone. Run it until it says that none is left, from cron for instance.
    `,
    examples: [
      ['What would be destroyed', '$0 reap --dry-run'],
      ['Every ten minutes, from cron', '*/10 * * * * $0 reap'],
    ],
  })

  tag = Option.String('--tag', 'fold-worker', { description: 'Tag of the droplets' })
  maxAge = Option.String('--max-age', '8h', { description: 'Older ones are destroyed also while they run' })
  all = Option.Boolean('--all', false, { description: 'Destroy all with the tag, also those that work' })
  dryRun = Option.Boolean('--dry-run', false, { description: 'Only list what would be destroyed' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects } = this.context
    const maxSeconds = parseDuration(this.maxAge)
    if (this.tag === '') throw new FoldError('INVALID_ARGUMENT', '--tag must not be empty')
    const { Doctl } = await import('../fleet/doctl.js')
    const doctl = new Doctl(effects)
    const droplets = await doctl.list(this.tag, signal)
    const failures: unknown[] = []
    let left = 0
    for (const droplet of droplets) {
      const age = (effects.time() - Date.parse(droplet.created_at)) / 1000
      const why = this.#why(droplet, age, maxSeconds)
      if (!why) {
        left += 1
        continue
      }
      try {
        if (!this.dryRun) await doctl.destroy(droplet.id, signal)
        const did = this.dryRun ? 'would destroy' : 'destroyed'
        await this.print(`${did} ${droplet.name} (${droplet.id}), ${why}, ${formatSeconds(age)} old`)
      } catch (error) {
        failures.push(error)
        left += 1
      }
    }
    await this.print(left === 0 ? `no droplet with the tag ${this.tag} is left` : `${left} droplets are left`)
    if (failures.length > 0) {
      throw new FoldError(
        'DROPLETS_FAILED',
        `${failures.length} droplets could not be destroyed and are billed on; start again`,
        { cause: failures[0] },
      )
    }
    return 0
  }

  #why({ status }: Droplet, age: number, maxSeconds: number): string | undefined {
    if (status === 'off') return 'off'
    if (this.all) return 'as asked'
    // An age that cannot be told is no reason to destroy.
    return age > maxSeconds ? 'too old' : undefined
  }
}
