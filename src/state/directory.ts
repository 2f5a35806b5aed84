/**
 * The state directory: where texts and archives wait, where they are while they are worked on, and where they go.
 *
 * ```text
 * input/                     *.txt waiting, *.bin archives
 * in_process/NAME.txt.work/  a text while it is searched: heartbeat, source.txt, archive.bin
 * in_process/merge.work~ID/  archives while they are merged: heartbeat, archives/, archive.bin
 * done/                      texts whose archive is in input/; archives of others that were merged
 * made/                      which archives local mode wrote
 * ```
 *
 * Any number of processes work here with nothing but renames. Three rules make every interleaving safe, with owners
 * killed or put to sleep at any step:
 *
 * 1. Work is taken over by renaming its directory to a name that was never used ({@link file://./names.ts}). The
 *    owner's next step finds its directory gone, and it gives up ({@link LostError}) without touching anything else.
 * 2. Before anything leaves a directory it has such a name, and the heartbeat in it is the owner's.
 * 3. What is inside says how far the work is, and each step from there is one rename, so whoever has the directory
 *    goes on from the same point:
 *    source.txt -> archive.bin -> searched.txt -> archive.bin in input/ -> searched.txt in done/ -> gone;
 *    archives/ -> archive.bin -> superseded/ -> archive.bin in input/ -> superseded/ removed -> gone.
 *
 * Nothing that the program has not written is overwritten or removed.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Clock, Files } from '../effects.js'
import { FoldError, systemCode } from '../errors.js'
import { isWhole, type Manifest } from '../manifest.js'
import type { InputId } from '../merge/grouping.js'
import { Heart, LostError, Watch, ownerOf } from './heartbeat.js'
import { Ledger } from './ledger.js'
import { exists, moveDirectory, moveFile, syncDirectories } from './moves.js'
import {
  INSIDE,
  LONGEST_NAME,
  isLeftover,
  isUnique,
  mergeWork,
  parseWorkName,
  renewed,
  textWork,
} from './names.js'

/** A text, or archives, that this process works on. */
export interface Work {
  readonly kind: 'text' | 'merge'
  /** File name of the text, such as `chapter.txt`; empty for a merge. */
  readonly name: string
  /** Its directory, as it is called now. */
  directory: string
}

/** Something in the way that the program does not touch. */
export interface Left {
  path: string
  why: string
}

/** What is where, at one moment. */
export interface Survey {
  /** File names of waiting texts, in the order of their bytes: the same on every machine. */
  texts: string[]
  /** Names of directories that may be archives. */
  archives: string[]
  /** Names in `in_process/` of work of any process. */
  works: string[]
  left: Left[]
}

export interface StateEffects {
  files: Files
  uniqueId: () => string
}

/** How far a piece of work is, by what is inside its directory. */
interface Inside {
  source: boolean
  searched: boolean
  archive: boolean
  archives: boolean
  superseded: boolean
}

export class StateDirectory {
  readonly input: string
  readonly inProcess: string
  readonly done: string
  readonly ledger: Ledger
  readonly #files: Files
  readonly #uniqueId: () => string
  /** What heartbeats of this process say. */
  readonly owner: string

  constructor(path: string, { files, uniqueId }: StateEffects) {
    this.input = join(path, 'input')
    this.inProcess = join(path, 'in_process')
    this.done = join(path, 'done')
    this.#files = files
    this.#uniqueId = uniqueId
    this.owner = uniqueId()
    this.ledger = new Ledger(join(path, 'made'), files, uniqueId)
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

  /** A heart for the work of this process. */
  heart(beat: number): Heart {
    return new Heart(this.#files, this.owner, beat)
  }

  /** Tells work that was left, by its heartbeats. */
  watch(clock: Clock, staleAfter: number): Watch {
    return new Watch(this.#files, clock, staleAfter)
  }

  isThere(path: string): Promise<boolean> {
    return exists(this.#files, path)
  }

  /** Looks at everything. */
  async survey(): Promise<Survey> {
    const survey: Survey = { texts: [], archives: [], works: [], left: [] }
    const leave = (path: string, why: string) => survey.left.push({ path, why })
    for (const entry of await this.#files.readdir(this.input, { withFileTypes: true })) {
      const path = join(this.input, entry.name)
      const looksLike = ['.txt', '.bin'].find((end) => entry.name.endsWith(end))
      if (!looksLike || entry.name.startsWith('.')) continue
      if (entry.isSymbolicLink()) leave(path, 'it is a symbolic link; put there what it points to')
      else if (looksLike === '.txt' && !entry.isFile()) leave(path, 'it is no file')
      else if (looksLike === '.bin' && !entry.isDirectory())
        leave(path, 'archives are directories, and it is none')
      else if (entry.name.includes('\ufffd') && !(await exists(this.#files, path)))
        leave(path, 'its name is not UTF-8; give it another')
      else if (Buffer.byteLength(entry.name) > LONGEST_NAME)
        leave(path, `its name has more than ${LONGEST_NAME} bytes; give it a shorter one`)
      else (looksLike === '.txt' ? survey.texts : survey.archives).push(entry.name)
    }
    for (const entry of await this.#files.readdir(this.inProcess, { withFileTypes: true })) {
      if (!parseWorkName(entry.name)) continue
      const path = join(this.inProcess, entry.name)
      if (!entry.isDirectory()) leave(path, 'this name is for a directory of fold-worker')
      else if (await this.#isForeign(path)) leave(path, 'nothing in it is of fold-worker')
      else survey.works.push(entry.name)
    }
    survey.texts.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    survey.archives.sort()
    survey.works.sort()
    return survey
  }

  /** Whether there is something in a directory, and nothing that this program puts there. */
  async #isForeign(directory: string): Promise<boolean> {
    const names = await this.#list(directory)
    const ours: readonly string[] = Object.values(INSIDE)
    return names.length > 0 && !names.some((name) => ours.includes(name) || isLeftover(name))
  }

  /** The names in a directory; none if it is gone. */
  async #list(directory: string): Promise<string[]> {
    try {
      return await this.#files.readdir(directory)
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
      throw error
    }
  }

  /** Where a text is while it is worked on for the first time. */
  placeOf(name: string): string {
    return join(this.inProcess, textWork(name))
  }

  /** Takes a waiting text. Undefined if it is gone or its place in `in_process/` is taken. */
  async claimText(name: string, heart: Heart): Promise<Work | undefined> {
    if (!(await this.isThere(join(this.input, name)))) return undefined
    const directory = this.placeOf(name)
    try {
      await this.#files.mkdir(directory)
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return undefined
      throw error
    }
    const work: Work = { kind: 'text', name, directory }
    return this.#guarded(work, async () => {
      await heart.begin(directory)
      const source = join(directory, INSIDE.source)
      if (!(await this.#take(join(this.input, name), source))) return false
      return (await this.#files.lstat(source)).isFile()
    })
  }

  /** Takes an archive and the first `most - 1` partners that are still there. Undefined if others were faster. */
  async claimArchives(
    { first, partners, most }: { first: string; partners: readonly string[]; most: number },
    heart: Heart,
  ): Promise<Work | undefined> {
    const directory = join(this.inProcess, mergeWork(this.#uniqueId()))
    await this.#files.mkdir(directory)
    const work: Work = { kind: 'merge', name: '', directory }
    return this.#guarded(work, async () => {
      await heart.begin(directory)
      const archives = join(directory, INSIDE.archives)
      await this.#files.mkdir(archives)
      if (!(await this.#take(join(this.input, first), join(archives, first)))) return false
      let taken = 1
      for (const partner of partners) {
        if (taken === most) break
        if (await this.#take(join(this.input, partner), join(archives, partner))) taken += 1
      }
      return taken > 1
    })
  }

  /** Fills a new work directory; puts all back if that fails or comes to nothing. */
  async #guarded(work: Work, fill: () => Promise<boolean>): Promise<Work | undefined> {
    try {
      if (await fill()) return work
      await this.putBack(work)
      return undefined
    } catch (error) {
      if (error instanceof LostError || (await this.isLost(work))) return undefined
      // What cannot be put back is found by whoever takes the directory over.
      await this.putBack(work).catch(() => undefined)
      throw error
    }
  }

  /** Moves, unless there is nothing to move. */
  async #take(from: string, to: string): Promise<boolean> {
    try {
      await this.#files.rename(from, to)
      return true
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      return false
    }
  }

  /** Takes over work that was left. Undefined if somebody else did, or its owner finished it after all. */
  async takeOver(name: string, heart: Heart): Promise<Work | undefined> {
    const what = parseWorkName(name)
    if (!what) return undefined
    const from = join(this.inProcess, name)
    const directory = join(this.inProcess, renewed(name, this.#uniqueId()))
    // Before the new name, so that it does not look left to the next who comes.
    await heart.touch(from)
    if (!(await this.#take(from, directory))) return undefined
    return { kind: what.kind, name: what.kind === 'text' ? what.name : '', directory }
  }

  /** Whether somebody else has taken the work over. */
  async isLost(work: Work): Promise<boolean> {
    if (!(await exists(this.#files, work.directory))) return true
    // The former owner's last beat may have come after the take-over, but nobody else has this name.
    if (isUnique(work.directory)) return false
    const owner = await ownerOf(this.#files, work.directory)
    return owner !== undefined && owner !== this.owner
  }

  /** How far the work is. */
  async inside(work: Work): Promise<Inside> {
    const names = await this.#list(work.directory)
    const has = (name: string) => names.includes(name)
    return {
      source: has(INSIDE.source),
      searched: has(INSIDE.searched),
      archive: has(INSIDE.archive),
      archives: has(INSIDE.archives),
      superseded: has(INSIDE.superseded),
    }
  }

  /** The text of a work, and its SHA-256. */
  sourceOf(work: Work): string {
    return join(work.directory, INSIDE.source)
  }

  async sha256OfSource(work: Work): Promise<string> {
    const hash = createHash('sha256')
    const handle = await this.#files.open(this.sourceOf(work), 'r')
    try {
      const buffer = Buffer.alloc(1 << 20)
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, null)
        if (bytesRead === 0) return hash.digest('hex')
        hash.update(buffer.subarray(0, bytesRead))
      }
    } finally {
      await handle.close()
    }
  }

  /** Where the archive of a work is to be written: always the same place within its directory. */
  archiveOf(work: Work): string {
    return join(work.directory, INSIDE.archive)
  }

  /** The archives that a work merges, or has merged. */
  async mergedBy(work: Work): Promise<string[]> {
    for (const place of [INSIDE.archives, INSIDE.superseded]) {
      const directory = join(work.directory, place)
      const names = await this.#list(directory)
      if (names.length > 0) return names.sort().map((name) => join(directory, name))
    }
    return []
  }

  /** Removes a result that is not of what is in the directory. */
  async dropArchive(work: Work): Promise<void> {
    await this.#remove(work, this.archiveOf(work))
  }

  /**
   * Ends a work whose archive is whole: the archive goes to `input/`, under this name or the next that is free, the
   * text to `done/`, merged archives that nobody needs are removed. Resolves to the archive's new path.
   */
  async finish(work: Work, stem: string, inputs: readonly InputId[]): Promise<string> {
    await this.#secure(work)
    const path = work.directory
    const inside = await this.inside(work)
    if (!inside.archive) throw new LostError()
    if (inside.source) await this.#files.rename(join(path, INSIDE.source), join(path, INSIDE.searched))
    if (inside.archives) await this.#files.rename(join(path, INSIDE.archives), join(path, INSIDE.superseded))
    await syncDirectories(this.#files, work.directory)
    const id = await this.ledger.identify(this.archiveOf(work))
    if (id) await this.ledger.add(id, inputs)
    const archive = await moveDirectory(this.#files, this.archiveOf(work), this.input, stem, '.bin')
    await syncDirectories(this.#files, this.input, work.directory)
    await this.tidy(work)
    return archive
  }

  /** What is left to do once the archive is in `input/`. */
  async tidy(work: Work): Promise<void> {
    await this.#secure(work)
    const inside = await this.inside(work)
    if (inside.searched) {
      const searched = join(work.directory, INSIDE.searched)
      await moveFile(this.#files, searched, this.done, stemOf(work.name), '.txt')
      await syncDirectories(this.#files, this.done)
    }
    const superseded = join(work.directory, INSIDE.superseded)
    for (const name of await this.#list(superseded)) await this.#retire(work, join(superseded, name), name)
    await this.#discard(work)
  }

  /** Removes a merged archive that this program made and that can be made again; keeps any other in `done/`. */
  async #retire(work: Work, path: string, name: string): Promise<void> {
    const id = await this.ledger.identify(path)
    const made = id !== undefined && (await this.ledger.inputs(id)) !== undefined
    if (made && (await this.#isSpent(path))) {
      // Whoever has it otherwise still needs the entry.
      if (!(await this.#remove(work, path))) throw new LostError()
      await this.ledger.remove(id)
    } else {
      await moveDirectory(this.#files, path, this.done, name.replace(/\.bin$/, ''), '.bin')
    }
  }

  /** Whether nothing could be continued from the archive: it is whole, or a merge of several texts. */
  async #isSpent(path: string): Promise<boolean> {
    try {
      const text = await this.#files.readFile(join(path, 'manifest.json'), 'utf8')
      const manifest = JSON.parse(text) as Manifest
      return isWhole(manifest) || manifest.input === null
    } catch {
      return false
    }
  }

  /** Puts all that a work took back where it waited, and drops what it has begun. */
  async putBack(work: Work): Promise<void> {
    await this.#secure(work)
    const { source, searched, superseded } = await this.inside(work)
    if (searched || superseded) {
      // The result is whole and perhaps in its place already: there is no way back from there, nor need of one.
      throw new FoldError('INTERNAL', `${work.directory} is finished and cannot be put back`)
    }
    if (source) await moveFile(this.#files, this.sourceOf(work), this.input, stemOf(work.name), '.txt')
    const archives = join(work.directory, INSIDE.archives)
    for (const name of await this.#list(archives)) {
      await moveDirectory(this.#files, join(archives, name), this.input, name.replace(/\.bin$/, ''), '.bin')
    }
    await this.#discard(work)
  }

  /** Leaves a work as it is to whoever comes next, who need not wait. */
  async letGo(work: Work): Promise<void> {
    await this.#secure(work)
    await this.#files.utimes(join(work.directory, INSIDE.heartbeat), 0, 0)
  }

  /** Gives the directory a name that nobody else uses, now or later, and makes sure that it is this process's. */
  async #secure(work: Work): Promise<void> {
    if (!isUnique(work.directory)) {
      const directory = renewed(work.directory, this.#uniqueId())
      if (!(await this.#take(work.directory, directory))) throw new LostError()
      work.directory = directory
      const owner = await ownerOf(this.#files, directory)
      if (owner !== undefined && owner !== this.owner) {
        // Work of another, begun under the name that this process's work had before it was taken over. Its owner
        // finds it gone and gives up, so it is as good as left: it waits under its new name to be taken over.
        throw new LostError()
      }
    } else if (!(await exists(this.#files, work.directory))) {
      throw new LostError()
    }
  }

  /** Removes what this program has put into a work directory, and the directory if nothing else is in it. */
  async #discard(work: Work): Promise<void> {
    for (const name of await this.#list(work.directory)) {
      const path = join(work.directory, name)
      if (name === INSIDE.archives || name === INSIDE.superseded) await this.#removeEmpty(path)
      else if (name === INSIDE.archive || isLeftover(name)) await this.#remove(work, path)
    }
    await this.#files.rm(join(work.directory, INSIDE.removed), { recursive: true, force: true })
    // The heartbeat last: until then, whoever comes sees whose it is.
    await this.#files.rm(join(work.directory, INSIDE.heartbeat), { force: true })
    await this.#removeEmpty(work.directory)
  }

  /** If somebody else put something there, it stays, and the next survey names it. */
  async #removeEmpty(path: string): Promise<void> {
    try {
      await this.#files.rmdir(path)
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) throw error
    }
  }

  /** Removes a directory tree so that one half removed is never taken for a whole one; false if it is gone. */
  async #remove(work: Work, path: string): Promise<boolean> {
    const removed = join(work.directory, INSIDE.removed)
    await this.#files.mkdir(removed).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') throw new LostError()
      if (systemCode(error) !== 'EEXIST') throw error
    })
    const took = await this.#take(path, join(removed, this.#uniqueId()))
    await this.#files.rm(removed, { recursive: true, force: true })
    return took
  }
}

/** A text's file name less its extension. */
export function stemOf(name: string): string {
  return name.replace(/\.txt$/, '')
}
