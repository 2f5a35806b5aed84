/**
 * Signs of life, and telling work that goes on from work that was left.
 *
 * The owner of a work directory writes its `heartbeat` file every few seconds: an id of its own, how many milliseconds
 * it lets pass between beats, and a count. Others decide without comparing clocks of two machines. Work is stale
 *
 * - if its heartbeat did not change for `staleAfter` while this process watched, by its own monotonic clock; or
 * - if it is older than that by the clock of the file system itself, which is asked by writing a file on the same
 *   file system, and did not change for a moment while this process watched. The first part lets work that was left
 *   long ago be taken over at once; the second spares live owners when all processes wake from a suspended machine.
 *
 * A wrong decision costs work done twice, never a text: see {@link file://./directory.ts}.
 */
import { join } from 'node:path'
import type { Clock, Files } from '../effects.js'
import { systemCode } from '../errors.js'
import { exists } from './moves.js'
import { INSIDE, isUnique } from './names.js'

/** Somebody else took the work over. Nothing of it is this process's any more. */
export class LostError extends Error {}

/** The longest time between two beats, in milliseconds. */
const SLOWEST_BEAT = 5000
const FASTEST_BEAT = 50
/** How long a heartbeat that is old already is watched, at the most. */
const LONGEST_GLANCE = 2000
/** All heartbeats are of one length, so that writing one needs no new space on a full disk. */
const LENGTH = 64

/** How often to beat where work is stale after so many milliseconds. */
export function beatInterval(staleAfter: number): number {
  return Math.min(SLOWEST_BEAT, Math.max(FASTEST_BEAT, Math.floor(staleAfter / 4)))
}

/** What a heartbeat file says. */
export interface Sign {
  owner: string
  beat: number
}

function render(owner: string, beat: number, count: number): string {
  return `${`${owner} ${beat} ${count}`.padEnd(LENGTH - 1)}\n`
}

/** Who wrote a heartbeat; undefined if it is not one, or cut short. */
export function parseSign(text: string): Sign | undefined {
  const [owner, beat] = text.split(' ')
  return owner && /^\d+$/.test(beat ?? '') ? { owner, beat: Number(beat) } : undefined
}

/** Reads who owns a work directory. */
export async function ownerOf(files: Files, directory: string): Promise<string | undefined> {
  try {
    return parseSign(await files.readFile(join(directory, INSIDE.heartbeat), 'utf8'))?.owner
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The signs of life of one process. */
export class Heart {
  readonly #files: Files
  readonly #owner: string
  readonly #beat: number
  #count = 0

  constructor(files: Files, owner: string, beat: number) {
    this.#files = files
    this.#owner = owner
    this.#beat = beat
  }

  /** The first beat in a directory that has none of this process yet. */
  async begin(directory: string): Promise<void> {
    await this.#write(join(directory, INSIDE.heartbeat), 'a')
  }

  /**
   * Another beat of work that goes on; throws {@link LostError} if somebody else has it. Never makes the file: a beat
   * that comes late must not put anything into a directory that is being removed.
   */
  async beat(directory: string): Promise<void> {
    try {
      const owner = await ownerOf(this.#files, directory)
      if (!isUnique(directory) && owner !== undefined && owner !== this.#owner) throw new LostError()
      await this.#write(join(directory, INSIDE.heartbeat), 'r+')
    } catch (error) {
      if (error instanceof LostError) throw error
      if (systemCode(error) === 'ENOENT' && !(await exists(this.#files, directory))) throw new LostError()
      // A beat that failed otherwise, as on a full disk: the next may do, and if none does, the work is taken over
      // in safety.
    }
  }

  /** A beat in the place of the owner, so that nobody else takes over what this process is about to. */
  async touch(directory: string): Promise<void> {
    await this.#write(join(directory, INSIDE.heartbeat), 'r+').catch(() => undefined)
  }

  async #write(path: string, flag: 'a' | 'r+'): Promise<void> {
    this.#count += 1
    const handle = await this.#files.open(path, flag)
    try {
      if (flag === 'a') await handle.truncate(0)
      await handle.write(render(this.#owner, this.#beat, this.#count), 0)
    } finally {
      await handle.close()
    }
  }
}

interface Watched {
  content: string
  changed: number
  /** When it was last seen to change, by this process's clock. */
  since: number
}

/** Tells which work directories were left. */
export class Watch {
  readonly #files: Files
  readonly #clock: Clock
  readonly #staleAfter: number
  #seen = new Map<string, Watched>()

  constructor(files: Files, clock: Clock, staleAfter: number) {
    this.#files = files
    this.#clock = clock
    this.#staleAfter = staleAfter
  }

  /** Looks at all of these directories of one parent; resolves to those that are stale. */
  async stale(parent: string, directories: readonly string[]): Promise<Set<string>> {
    const stale = new Set<string>()
    const before = this.#seen
    this.#seen = new Map()
    if (directories.length === 0) return stale
    const fileClock = await this.#fileClock(parent)
    for (const directory of directories) {
      const sign = await this.#read(join(parent, directory))
      if (!sign) continue
      const known = before.get(directory)
      const now = this.#clock.now()
      const unchanged = known?.content === sign.content && known.changed === sign.changed
      const since = unchanged ? known.since : now
      this.#seen.set(directory, { ...sign, since })
      // Somebody else may let more time pass between beats than this process would.
      const patience = Math.max(this.#staleAfter, 3 * (parseSign(sign.content)?.beat ?? 0))
      const glance = Math.min(LONGEST_GLANCE, patience / 2)
      const age = fileClock === undefined ? 0 : fileClock - sign.changed
      const watched = unchanged ? now - since : 0
      if (watched >= patience || (age >= patience && watched >= glance)) stale.add(directory)
    }
    return stale
  }

  /** A directory whose heartbeat is missing was left before the first beat, if it was left: its own age counts. */
  async #read(directory: string): Promise<{ content: string; changed: number } | undefined> {
    const path = join(directory, INSIDE.heartbeat)
    try {
      const content = await this.#files.readFile(path, 'utf8')
      return { content, changed: (await this.#files.lstat(path)).mtimeMs }
    } catch {
      try {
        return { content: '', changed: (await this.#files.lstat(directory)).mtimeMs }
      } catch {
        // It is gone, or cannot be looked at: nobody can take it over.
        return undefined
      }
    }
  }

  /** What the file system takes for the present, in its own milliseconds. */
  async #fileClock(parent: string): Promise<number | undefined> {
    const path = join(parent, '.clock')
    try {
      await this.#files.writeFile(path, '')
      const { mtimeMs } = await this.#files.lstat(path)
      await this.#files.unlink(path)
      return mtimeMs
    } catch {
      // A full or read-only disk, or another process asked at the same moment: this time without.
      return undefined
    }
  }
}
