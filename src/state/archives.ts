/** What the archives in `input/` are, read once each. */
import { join } from 'node:path'
import { FoldError, toFoldError } from '../errors.js'
import { inputsOf } from '../merge/grouping.js'
import type { Candidate } from '../merge/pairs.js'
import type { ArchiveSummary } from '../manifest.js'
import type { StateDirectory } from './directory.js'

/** What is at a path. */
export type Found =
  | { kind: 'good'; candidate: Candidate }
  | { kind: 'bad'; path: string; error: FoldError }
  /** Another process took it. */
  | { kind: 'gone' }

/** Remembers by content, not by name, as names are used again. */
export class ArchiveShelf {
  readonly #state: StateDirectory
  readonly #summarise: (archive: string) => Promise<ArchiveSummary>
  /** By {@link Ledger.identify}. */
  #known = new Map<string, Candidate | FoldError>()

  constructor(state: StateDirectory, summarise: (archive: string) => Promise<ArchiveSummary>) {
    this.#state = state
    this.#summarise = summarise
  }

  /** Looks at archives in `input/`, and forgets all others. */
  async lookAll(names: readonly string[]): Promise<Found[]> {
    const before = this.#known
    const found: Found[] = []
    const still = new Map<string, Candidate | FoldError>()
    for (const name of names) {
      const path = join(this.#state.input, name)
      const id = await this.#state.ledger.identify(path)
      found.push(await this.#lookAt(path, id))
      const known = id === undefined ? undefined : before.get(id)
      if (id !== undefined && known !== undefined) still.set(id, known)
    }
    this.#known = still
    return found
  }

  async lookAt(path: string): Promise<Found> {
    return this.#lookAt(path, await this.#state.ledger.identify(path))
  }

  async #lookAt(path: string, id: string | undefined): Promise<Found> {
    const known = id === undefined ? undefined : this.#known.get(id)
    const found = known ?? (await this.#read(path, id))
    if (found === 'gone') return { kind: 'gone' }
    if (id !== undefined) this.#known.set(id, found)
    if (found instanceof FoldError) return { kind: 'bad', path, error: found }
    const name = path.split(/[/\\]/).at(-1) ?? path
    return { kind: 'good', candidate: { ...found, name, summary: { ...found.summary, archive: path } } }
  }

  async #read(path: string, id: string | undefined): Promise<Candidate | FoldError | 'gone'> {
    try {
      const summary = await this.#summarise(path)
      const inputs = (id && !summary.input && (await this.#state.ledger.inputs(id))) || inputsOf(summary)
      return { name: path, summary, inputs }
    } catch (error) {
      return (await this.#state.isThere(path)) ? toFoldError(error) : 'gone'
    }
  }

  /** Makes an archive one that is not tried again. */
  async setApart(path: string, error: FoldError): Promise<void> {
    const id = await this.#state.ledger.identify(path)
    if (id !== undefined) this.#known.set(id, error)
  }

  /** Summaries of those of these archives that can be read. */
  async all(names: readonly string[]): Promise<ArchiveSummary[]> {
    const found = await this.lookAll(names)
    return found.flatMap((one) => (one.kind === 'good' ? [one.candidate.summary] : []))
  }
}
