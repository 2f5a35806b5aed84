/**
 * Droplets through `doctl`, which has the token. Only documented flags; retries when the API asks for patience.
 */
import type { Effects } from '../effects.js'
import { FoldError, systemCode, throwIfAborted } from '../errors.js'

/** A droplet as the API describes it. */
export interface Droplet {
  id: number
  name: string
  status: string
  created_at: string
  tags: string[]
  size_slug: string
}

/** What a new droplet is to be. */
export interface DropletRequest {
  name: string
  size: string
  region: string
  tags: string[]
  /** A file: what is in arguments can be read by everybody. */
  userDataFile: string
  vpc?: string | undefined
  sshKey?: string | undefined
}

const IMAGE = 'ubuntu-22-04-x64'
const ATTEMPTS = 6
const FIRST_PAUSE = 2000
const PASSING =
  /\b(?:429|500|502|503|504)\b|too many requests|rate limit|timeout|timed out|connection re(?:set|fused)|EOF/i

export class Doctl {
  readonly #effects: Pick<Effects, 'execute' | 'sleep' | 'random'>

  constructor(effects: Pick<Effects, 'execute' | 'sleep' | 'random'>) {
    this.#effects = effects
  }

  /** All droplets with the tag. */
  async list(tag: string, signal: AbortSignal): Promise<Droplet[]> {
    const found = await this.#run(
      ['compute', 'droplet', 'list', '--tag-name', tag, '--output', 'json'],
      signal,
    )
    const list: unknown = found.trim() === '' ? [] : JSON.parse(found)
    if (!Array.isArray(list)) throw failed('doctl compute droplet list', 'the answer is no list')
    return (list as Droplet[]).filter(({ tags }) => Array.isArray(tags) && tags.includes(tag))
  }

  /** Makes a droplet; one of that name and tag that is there already is taken for it. */
  async create(request: DropletRequest, signal: AbortSignal): Promise<void> {
    const { name, size, region, tags, userDataFile, vpc, sshKey } = request
    const [tag = ''] = tags
    await this.#run(
      [
        'compute',
        'droplet',
        'create',
        name,
        '--image',
        IMAGE,
        '--size',
        size,
        '--region',
        region,
        '--output',
        'json',
        '--tag-names',
        tags.join(','),
        '--user-data-file',
        userDataFile,
        ...(vpc ? ['--vpc-uuid', vpc] : []),
        ...(sshKey ? ['--ssh-keys', sshKey] : []),
      ],
      signal,
      // An attempt whose answer was lost may have made it.
      async () => (await this.list(tag, signal)).some((droplet) => droplet.name === name),
    )
  }

  /** Destroys a droplet; one that is gone already is as good. */
  async destroy(id: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#run(['compute', 'droplet', 'delete', String(id), '--force'], signal)
    } catch (error) {
      if (!(error instanceof FoldError) || !/\b404\b|could not be found|not found/i.test(error.message))
        throw error
    }
  }

  async #run(args: string[], signal: AbortSignal, done?: () => Promise<boolean>): Promise<string> {
    const what = `doctl ${args.slice(0, 3).join(' ')}`
    for (let attempt = 1; ; attempt += 1) {
      const { code, out, err } = await this.#effects.execute('doctl', args).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error
        throw failed(what, 'there is no doctl here; install it and run `doctl auth init`')
      })
      if (code === 0) return out
      const said = (err.trim() || out.trim()).split('\n').join(' ').slice(0, 300)
      if (!PASSING.test(said) || attempt === ATTEMPTS)
        throw failed(what, said || `it ended with code ${code}`)
      await this.#effects.sleep(FIRST_PAUSE * 2 ** (attempt - 1) * (1 - this.#effects.random() / 2), signal)
      throwIfAborted(signal)
      if (await done?.()) return ''
    }
  }
}

function failed(what: string, why: string): FoldError {
  return new FoldError('DROPLETS_FAILED', `${what} failed: ${why}`)
}
