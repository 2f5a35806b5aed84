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

  /** Looks at an archive in `input/`. */
  look(name: string): Promise<Found> {
    return this.lookAt(join(this.#state.input, name))
  }

  async lookAt(path: string): Promise<Found> {
    const id = await this.#state.ledger.identify(path)
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
    const found = []
    for (const name of names) found.push(await this.look(name))
    return found.flatMap((one) => (one.kind === 'good' ? [one.candidate.summary] : []))
  }
}
