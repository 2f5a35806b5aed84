/** `fold-worker spawn`: a droplet for each input that has no complete archive yet. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import type { Doctl } from '../fleet/doctl.js'
import type { PlannedDroplet } from '../fleet/plan.js'
import { parseDuration } from '../machine/duration.js'
import type { S3IO } from '../storage/s3-io.js'
import { version } from '../version.js'
import { FoldCommand } from './base.js'
import { wantedTop } from '../goal.js'
import { countOption, goalOption } from './options.js'

/** A presigned URL is valid for the life of the droplet and for its start, but never longer than S3 allows. */
const STARTING_SECONDS = 3600
const LONGEST_URL = 7 * 86_400

export class SpawnCommand extends FoldCommand {
  static override paths = [['spawn']]
  static override usage = Command.Usage({
    description: 'make a droplet for each input that has no complete archive yet',
    details: `
      Looks into the buckets that the environment names (as for the worker, with keys that may read both and sign), and makes
      droplets with \`doctl\`. A droplet gets presigned URLs for its own inputs and archives, and no key; with \`--keys\`
      it gets \`$FOLD_WORKER_ACCESS_KEY\` and \`$FOLD_WORKER_SECRET_KEY\`, which should be able to do no more than
      deploy/policy.json says. Each shuts itself down; \`reap\` then destroys it, without which it is billed for ever.
    `,
    examples: [
      ['What would be made, and what would it cost', '$0 spawn --dry-run'],
      ['Make it', '$0 spawn --region nyc3 --max-time 2h'],
      ['One long text on eight droplets', '$0 spawn --prefix book.txt --shards 8'],
    ],
  })

  prefix = Option.String('--prefix', '', { description: 'Only inputs whose key begins so' })
  region = Option.String('--region', { description: 'Region (default: $DO_SPACES_REGION)' })
  size = Option.String('--size', { description: 'Size of all droplets (default: by the size of the inputs)' })
  tag = Option.String('--tag', 'fold-worker', { description: 'Tag by which `reap` finds them' })
  vpc = Option.String('--vpc', { description: 'VPC by its UUID' })
  sshKey = Option.String('--ssh-key', { description: 'SSH key by fingerprint' })
  maxTime = Option.String('--max-time', '6h', {
    description: 'When a droplet shuts down at the latest, such as 2h',
  })
  inputsPerDroplet = Option.String('--inputs-per-droplet', '1', { description: 'Inputs for each droplet' })
  shards = Option.String('--shards', '1', {
    description: 'Droplets for each input, each with a part of the search',
  })
  most = Option.String('--most', '50', { description: 'Droplets to make at the most' })
  packageVersion = Option.String('--package-version', { description: 'Version to run (default: this one)' })
  keys = Option.Boolean('--keys', false, {
    description: 'Give droplets restricted keys instead of presigned URLs',
  })
  dryRun = Option.Boolean('--dry-run', false, { description: 'Only list what would be made' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects } = this.context
    const maxSeconds = parseDuration(this.maxTime)
    if (!/^[A-Za-z0-9:_-]{1,255}$/.test(this.tag)) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        '--tag must be of letters, digits, colons, dashes and underscores',
      )
    }
    const inputsPerDroplet = countOption('--inputs-per-droplet', this.inputsPerDroplet, 1) ?? 1
    const shards = countOption('--shards', this.shards, 1) ?? 1
    const most = countOption('--most', this.most, 1) ?? 1
    const region = this.region ?? effects.env['DO_SPACES_REGION']
    if (!region)
      throw new FoldError('INVALID_ARGUMENT', 'there is no region: give --region or $DO_SPACES_REGION')
    const [{ S3IO: Storage }, { coverage }, { describeDroplet, plan }, { Doctl: DropletControl }] =
      await Promise.all([
        import('../storage/s3-io.js'),
        import('../storage/coverage.js'),
        import('../fleet/plan.js'),
        import('../fleet/doctl.js'),
      ])
    const io = Storage.fromEnv(effects.env, { world: effects })
    const [inputs, archives] = await Promise.all([
      all(io.listInputs(this.prefix, { signal })),
      all(io.listArchives('', { signal })),
    ])
    const planned = plan(coverage(inputs, archives, this.#wantedTop(shards)), {
      inputsPerDroplet,
      shards,
      size: this.size,
      maxSeconds,
    })
    const doctl = new DropletControl(effects)
    // A dry run needs neither doctl nor a token.
    const there = this.dryRun ? [] : await doctl.list(this.tag, signal)
    const running = new Set(there.filter(({ status }) => status !== 'off').map(({ name }) => name))
    const wanted = planned.filter(({ name }) => !running.has(name))
    const chosen = wanted.slice(0, most)
    for (const droplet of chosen) await this.print(describeDroplet(droplet))
    const dollars = chosen.reduce((sum, { mostCost }) => sum + (mostCost ?? 0), 0)
    await this.print(
      `${chosen.length} droplets for ${inputs.length} inputs, of which ${planned.length - wanted.length} have one running; ` +
        `at most $${dollars.toFixed(2)}${chosen.length < wanted.length ? `; ${wanted.length - chosen.length} more beyond --most` : ''}`,
    )
    if (this.dryRun && this.#wantedTop(shards) === undefined && effects.env['FOLD_ESTIMATE'] !== '0') {
      const { forecast } = await import('../fleet/forecast.js')
      const { estimate } = await this.context.library()
      for (const line of await forecast(chosen, { io, effects, estimate, signal })) await this.print(line)
    }
    if (!this.dryRun) await this.#make(chosen, { doctl, io, region, maxSeconds, signal })
    return 0
  }

  /** How many of the best the workers are to find, if not all orthos. */
  #wantedTop(shards: number): number | undefined {
    const { FOLD_GOAL: goal, FOLD_TOP: top } = this.context.effects.env
    const wanted = wantedTop(goalOption(goal || undefined, top || undefined))
    if (wanted !== undefined && shards > 1) {
      throw new FoldError('INVALID_ARGUMENT', 'a search for the optimum ($FOLD_GOAL) has no shards')
    }
    return wanted
  }

  async #make(
    chosen: readonly PlannedDroplet[],
    given: { doctl: Doctl; io: S3IO; region: string; maxSeconds: number; signal: AbortSignal },
  ): Promise<void> {
    const { effects } = this.context
    const { doctl, io, region, maxSeconds, signal } = given
    const [{ userData }, { randomBytes }, { join }] = await Promise.all([
      import('../fleet/user-data.js'),
      import('node:crypto'),
      import('node:path'),
    ])
    const script = await effects.files.readFile(workerScript(), 'utf8')
    let made = 0
    for (const droplet of chosen) {
      const userDataFile = join(await effects.scratch(), `fold-worker-${randomBytes(8).toString('hex')}`)
      try {
        const environment = await this.#environment(droplet, io, maxSeconds)
        await effects.files.writeFile(userDataFile, userData(environment, script), {
          mode: 0o600,
          flag: 'wx',
        })
        const { name, size } = droplet
        const { tag, vpc, sshKey } = this
        await doctl.create({ name, size, region, tags: [tag], userDataFile, vpc, sshKey }, signal)
        made += 1
      } catch (error) {
        throw new FoldError(
          'DROPLETS_FAILED',
          `${made} of ${chosen.length} droplets were made; start again to make the others, or reap --all --tag ${this.tag} to destroy these`,
          { cause: error },
        )
      } finally {
        await effects.files.rm(userDataFile, { force: true })
      }
    }
    await this.print(`made ${made}; run \`fold-worker reap --tag ${this.tag}\` until none is left`)
  }

  async #environment(
    { inputs, shard }: PlannedDroplet,
    io: S3IO,
    maxSeconds: number,
  ): Promise<Record<string, string>> {
    const { env, time } = this.context.effects
    const passed = [
      'FOLD_MEMORY',
      'FOLD_THREADS',
      'FOLD_MAX_TIME',
      'FOLD_MAX_ORTHOS',
      'FOLD_MAX_DISK',
      'FOLD_DISK_RESERVE',
      'FOLD_MAX_DIMS',
      'FOLD_GOAL',
      'FOLD_TOP',
    ]
    const common = {
      FOLD_PACKAGE: `fold-worker@${this.packageVersion ?? version()}`,
      FOLD_LIFETIME: String(Math.ceil(maxSeconds)),
      INPUT_FILE: JSON.stringify(inputs),
      ...(shard && { FOLD_SHARD: `${shard.index}/${shard.count}` }),
      ...Object.fromEntries(passed.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
    }
    if (this.keys) return { ...common, ...this.#restrictedKeys() }
    const { archiveKey, nameOfInput } = await import('../storage/names.js')
    const timestamp = Math.floor(time() / 1000)
    const seconds = Math.min(LONGEST_URL, Math.ceil(maxSeconds) + STARTING_SECONDS)
    const urls = await Promise.all(
      inputs.map((key) =>
        io.presign(key, archiveKey({ inputName: nameOfInput(key), shard, timestamp }), seconds),
      ),
    )
    return {
      ...common,
      FOLD_INPUT_URL: JSON.stringify(urls.map(({ inputUrl }) => inputUrl)),
      FOLD_ARCHIVE_URL: JSON.stringify(urls.map(({ archiveUrl }) => archiveUrl)),
    }
  }

  #restrictedKeys(): Record<string, string> {
    const { env } = this.context.effects
    const [access, secret] = [env['FOLD_WORKER_ACCESS_KEY'], env['FOLD_WORKER_SECRET_KEY']]
    if (!access || !secret) {
      throw new FoldError(
        'ENVIRONMENT_INVALID',
        '--keys needs FOLD_WORKER_ACCESS_KEY and FOLD_WORKER_SECRET_KEY: a key that can do no more than deploy/policy.json says',
      )
    }
    const names = [
      'DO_SPACES_REGION',
      'DO_SPACES_ENDPOINT',
      'DO_SPACES_INPUT_BUCKET',
      'DO_SPACES_ARCHIVE_BUCKET',
    ]
    return {
      ...Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
      DO_SPACES_ACCESS_KEY: access,
      DO_SPACES_SECRET_KEY: secret,
    }
  }
}

function workerScript(): URL {
  // The same path from src/commands/ and, as dist/ is one level higher, from there.
  const inSource = import.meta.url.includes('/src/commands/')
  return new URL(inSource ? '../../deploy/worker.sh' : '../deploy/worker.sh', import.meta.url)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
