/** Moving without ever overwriting, and making moves durable. */
import { join } from 'node:path'
import type { Files } from '../effects.js'
import { systemCode } from '../errors.js'

/** Whether something is at the path, even a broken link. */
export async function exists(files: Files, path: string): Promise<boolean> {
  try {
    await files.lstat(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

const TAKEN: ReadonlySet<string | undefined> = new Set(['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR'])
const NO_LINKS: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
])

/** `STEM.ext`, `STEM-2.ext`, `STEM-3.ext`, ... */
function* names(stem: string, extension: string): Generator<string, never> {
  for (let n = 1; ; n += 1) yield `${stem}${n === 1 ? '' : `-${n}`}${extension}`
}

/** Tries one name after the other until `place` says that one was free; resolves to its path. */
async function firstFree(
  directory: string,
  stem: string,
  extension: string,
  place: (to: string) => Promise<boolean>,
): Promise<string> {
  for (const name of names(stem, extension)) {
    const to = join(directory, name)
    if (await place(to)) return to
  }
  throw new Error('unreachable: there is always another name')
}

/** Moves a directory that is not empty to the first name that is free; resolves to its path. */
export function moveDirectory(
  files: Files,
  from: string,
  directory: string,
  stem: string,
  extension: string,
): Promise<string> {
  return firstFree(directory, stem, extension, async (to) => {
    if (await exists(files, to)) return false
    try {
      await files.rename(from, to)
      return true
    } catch (error) {
      // Somebody took the name in between: a directory in the way makes the rename fail.
      if (!TAKEN.has(systemCode(error))) throw error
      return false
    }
  })
}

/**
 * Moves a file to a name, unless that is taken; resolves to whether it was free. A rename would overwrite a file that
 * came there in between, so the file gets its second name by a link, which does not, and then loses its first. If this
 * was killed in between, doing it again only removes the first name.
 */
export async function placeFile(files: Files, from: string, to: string): Promise<boolean> {
  try {
    await files.link(from, to)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') {
      if (!(await isSame(files, from, to))) return false
    } else if (!NO_LINKS.has(code)) {
      throw error
    } else if (await exists(files, to)) {
      return false
    } else {
      // A file system without links.
      await files.rename(from, to)
      return true
    }
  }
  await files.unlink(from)
  return true
}

/** Moves a file to the first name that is free; resolves to its path. */
export function moveFile(
  files: Files,
  from: string,
  directory: string,
  stem: string,
  extension: string,
): Promise<string> {
  return firstFree(directory, stem, extension, (to) => placeFile(files, from, to))
}

async function isSame(files: Files, a: string, b: string): Promise<boolean> {
  const [one, other] = [await files.lstat(a), await files.lstat(b)]
  return one.ino === other.ino && one.dev === other.dev
}

/** Makes the names in these directories survive a loss of power, as far as the file system can. */
export async function syncDirectories(files: Files, ...paths: string[]): Promise<void> {
  for (const path of paths) {
    const handle = await files.open(path, 'r').catch(() => undefined)
    // Not every system can open or sync a directory; then its file system has to do.
    await handle?.sync().catch(() => undefined)
    await handle?.close()
  }
}
