/**
 * What a merge takes from buckets and gives to one: archives that are downloaded for it, and results that are stored.
 *
 * Everything lies in one temporary directory, made when it is first needed. It is removed at the end, but for a result that
 * could not be stored.
 */
import { join } from 'node:path'
import type { Machine } from '../effects.js'
import { FoldError, toFoldError } from '../errors.js'
import type { ArchiveSummary } from '../manifest.js'
import type { Location } from '../storage/location.js'
import type { StorageWorld } from '../storage/s3-io.js'
import type { Environment } from '../storage/settings.js'

/** Options of {@link BucketWork}. */
export interface BucketWorkOptions {
  env: Environment
  world: StorageWorld & Pick<Machine, 'scratch' | 'uniqueId'>
  /** Where the temporary directory is made; that of the system, if not said. */
  parent: string | undefined
  /** Where results are stored. */
  to: string | undefined
  signal: AbortSignal
}

export class BucketWork {
  readonly #options: BucketWorkOptions
  readonly #urls = new Map<string, string>()
  #directory: Promise<string> | undefined
  #target: Promise<Location> | undefined
  #taken = 0
  #keeps = false

  constructor(options: BucketWorkOptions) {
    this.#options = options
  }

  /** Brings the archives below a URL; resolves to their paths. */
  async fetch(url: string): Promise<string[]> {
    const { env, world, signal } = this.#options
    const { resolveArchives } = await import('../storage/resolve.js')
    this.#taken += 1
    const directory = await this.#make(join('from', String(this.#taken)))
    const resolved = await resolveArchives(url, { env, world, directory, signal })
    for (const one of resolved) this.#urls.set(one.path, one.url)
    return resolved.map(({ path }) => path)
  }

  /** Where an archive came from, for people. */
  nameOf(path: string): string {
    return this.#urls.get(path) ?? path
  }

  /** A place for results that only a bucket is to keep. */
  results(): Promise<string> {
    return this.#make('results')
  }

  /** Makes sure that results can be stored, before work is done for them. */
  async prepare(): Promise<void> {
    if (this.#options.to !== undefined) await this.#location(this.#options.to)
  }

  /** Stores a result, if it is to be stored; resolves to where it is. */
  async store(archive: ArchiveSummary, name: string): Promise<{ url: string; stored: boolean } | undefined> {
    const { to, world, signal } = this.#options
    if (to === undefined) return undefined
    const { storeArchive } = await import('../storage/store-archive.js')
    try {
      const directory = await this.#make('packed')
      return await storeArchive(archive, await this.#location(to), { name, directory, world, signal })
    } catch (thrown) {
      const { code, message, cause } = toFoldError(thrown)
      this.#keeps = true
      throw new FoldError(code, `${message}; the merged archive is kept at ${archive.archive}`, { cause })
    }
  }

  #location(to: string): Promise<Location> {
    const { env, world } = this.#options
    return (this.#target ??= import('../storage/location.js').then(({ locate }) => locate(to, env, world)))
  }

  async #make(name: string): Promise<string> {
    const { world, parent } = this.#options
    this.#directory ??= (async () =>
      join(parent ?? (await world.scratch()), `.fold-worker-merge-${world.uniqueId()}`))()
    const path = join(await this.#directory, name)
    await world.files.mkdir(path, { recursive: true })
    return path
  }

  /** Removes what nobody needs any more. */
  async end(): Promise<void> {
    if (!this.#directory) return
    const directory = await this.#directory
    const { files } = this.#options.world
    const gone = this.#keeps ? ['from', 'packed'].map((name) => join(directory, name)) : [directory]
    for (const path of gone) await files.rm(path, { recursive: true, force: true })
  }
}
