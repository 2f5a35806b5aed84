/**
 * Which archives local mode wrote into this state directory, and of which texts.
 *
 * `made/ID.json` for each of them, ID being the SHA-256 of its `SHA256SUMS`. What has no entry came from somebody else
 * and is never deleted. The entry is written before the archive appears, and removed after the archive is; one too
 * many does no harm.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Files } from '../effects.js'
import type { InputId } from '../merge/grouping.js'

export class Ledger {
  readonly #directory: string
  readonly #files: Files
  readonly #uniqueId: () => string

  constructor(directory: string, files: Files, uniqueId: () => string) {
    this.#directory = directory
    this.#files = files
    this.#uniqueId = uniqueId
  }

  /** What identifies an archive wherever it is; undefined if it cannot be read. */
  async identify(archive: string): Promise<string | undefined> {
    try {
      return createHash('sha256')
        .update(await this.#files.readFile(join(archive, 'SHA256SUMS')))
        .digest('hex')
    } catch {
      return undefined
    }
  }

  /** Notes an archive that is about to appear. */
  async add(id: string, inputs: readonly InputId[]): Promise<void> {
    const temporary = join(this.#directory, `.${id}.${this.#uniqueId()}`)
    await this.#files.mkdir(this.#directory, { recursive: true })
    await this.#files.writeFile(temporary, `${JSON.stringify({ inputs })}\n`)
    await this.#files.rename(temporary, this.#entry(id))
  }

  /** The texts in an archive that local mode made here; undefined if it did not, or it cannot be told. */
  async inputs(id: string): Promise<InputId[] | undefined> {
    try {
      const { inputs } = JSON.parse(await this.#files.readFile(this.#entry(id), 'utf8')) as {
        inputs: InputId[]
      }
      return Array.isArray(inputs) ? inputs : undefined
    } catch {
      return undefined
    }
  }

  /** Forgets an archive that is gone. */
  async remove(id: string): Promise<void> {
    await this.#files.rm(this.#entry(id), { force: true })
  }

  #entry(id: string): string {
    return join(this.#directory, `${id}.json`)
  }
}
