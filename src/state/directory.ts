/**
 * The state directory: where texts wait, where they are while they are worked on, and where they go.
 *
 * ```text
 * input/                     *.txt waiting, *.bin archives
 * in_process/NAME.txt.work/  source.txt, archive.bin while it is written
 * done/                      texts whose archive is in input/
 * ```
 *
 * Every step is one rename, so a text is at exactly one place at any moment. No step overwrites or removes what the
 * program has not written; links and other files are left alone.
 */
import { join } from 'node:path'
import type { Files } from '../effects.js'
import { FoldError, systemCode } from '../errors.js'

/** A text that this process works on. */
export interface Claim {
  /** File name of the text, such as `chapter.txt`. */
  readonly name: string
  /** Its directory under `in_process/`. */
  readonly work: string
  /** The text itself, inside. */
  readonly source: string
  /** Where its archive is to be written, inside. */
  readonly archive: string
}

export class StateDirectory {
  readonly input: string
  readonly inProcess: string
  readonly done: string
  readonly #files: Files

  constructor(path: string, files: Files) {
    this.input = join(path, 'input')
    this.inProcess = join(path, 'in_process')
    this.done = join(path, 'done')
    this.#files = files
  }

  /** Makes the directories that are missing. */
  async prepare(): Promise<void> {
    for (const path of [this.input, this.inProcess, this.done]) {
      try {
        await this.#files.mkdir(path, { recursive: true })
      } catch (error) {
        // A file in the way, or a place where nothing can be made: all mean "not here".
        const code = systemCode(error) === 'ENOSPC' ? 'DISK_FULL' : 'NOT_WRITABLE'
        throw new FoldError(code, `the state directory needs ${path}, which cannot be made`, { cause: error })
      }
    }
  }

  /** File names of the waiting texts, in the order of their bytes: the same on every machine. */
  async waiting(): Promise<string[]> {
    const entries = await this.#files.readdir(this.input, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.txt'))
      .map((entry) => entry.name)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }

  /** Takes a waiting text to work on. Undefined if it is gone or its place in `in_process/` is taken. */
  async claim(name: string): Promise<Claim | undefined> {
    const work = this.workOf(name)
    try {
      await this.#files.mkdir(work)
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return undefined
      throw error
    }
    const source = join(work, 'source.txt')
    try {
      await this.#files.rename(join(this.input, name), source)
    } catch (error) {
      await this.#files.rmdir(work)
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }
    return { name, work, source, archive: join(work, 'archive.bin') }
  }

  /** Where a text is while it is worked on. */
  workOf(name: string): string {
    return join(this.inProcess, `${name}.work`)
  }

  /** Whether another run holds the text of this name. */
  async isHeld(name: string): Promise<boolean> {
    return this.#exists(this.workOf(name))
  }

  /** Puts the archive into `input/` and the text into `done/`; resolves to the path of the archive. */
  async finish(claim: Claim): Promise<string> {
    const stem = claim.name.slice(0, -'.txt'.length)
    // The archive first: if this ends between the two, the text is still there to be searched again.
    const archive = await this.#moveToFree(claim.archive, this.input, stem, '.bin')
    await this.#moveToFree(claim.source, this.done, stem, '.txt')
    await this.#removeWork(claim)
    return archive
  }

  /** Puts the text back where it waited. */
  async restore(claim: Claim): Promise<void> {
    const stem = claim.name.slice(0, -'.txt'.length)
    await this.#moveToFree(claim.source, this.input, stem, '.txt')
    await this.#removeWork(claim)
  }

  /** Only this process writes into the directory that it made, so what is left there is its own. */
  async #removeWork(claim: Claim): Promise<void> {
    await this.#files.rm(claim.work, { recursive: true, force: true })
  }

  /** Moves to the first name that is free: `NAME.bin`, `NAME-2.bin`, `NAME-3.bin`, ... */
  async #moveToFree(from: string, directory: string, stem: string, extension: string): Promise<string> {
    for (let n = 1; ; n += 1) {
      const to = join(directory, `${stem}${n === 1 ? '' : `-${n}`}${extension}`)
      if (await this.#exists(to)) continue
      try {
        await this.#files.rename(from, to)
        return to
      } catch (error) {
        // Somebody took the name in between: a directory in the way makes the rename fail.
        if (!['EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error
      }
    }
  }

  async #exists(path: string): Promise<boolean> {
    try {
      await this.#files.lstat(path)
      return true
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false
      throw error
    }
  }
}
