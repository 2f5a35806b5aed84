/**
 * The names in `in_process/`, and what is inside a directory there.
 *
 * `NAME.txt.work` is made by whoever takes the text first. Every later name of such a directory, and every name of a
 * merge, ends in `~` and 16 hex digits that are never used again: so a decision made about such a name can never act
 * on other work, however long the process slept in between.
 */

/** What a directory in `in_process/` is for. */
export type WorkName = { kind: 'text'; name: string } | { kind: 'merge' }

const TEXT = /^(.+\.txt)\.work(?:~[0-9a-f]{16})?$/s
const MERGE = /^merge\.work~[0-9a-f]{16}$/
const UNIQUE = /~[0-9a-f]{16}$/

/** What a name in `in_process/` stands for; undefined if it is none of ours. */
export function parseWorkName(directory: string): WorkName | undefined {
  if (MERGE.test(directory)) return { kind: 'merge' }
  const name = TEXT.exec(directory)?.[1]
  return name === undefined ? undefined : { kind: 'text', name }
}

/** The name under which a text is taken. */
export function textWork(name: string): string {
  return `${name}.work`
}

/** The name under which a merge is begun. */
export function mergeWork(id: string): string {
  return `merge.work~${id}`
}

/** Whether the name is never used twice. */
export function isUnique(directory: string): boolean {
  return UNIQUE.test(directory)
}

/** The same work under a name that was never used. */
export function renewed(directory: string, id: string): string {
  return `${directory.replace(UNIQUE, '')}~${id}`
}

/** The longest name of a text in bytes that leaves room for `.work~` and the digits. */
export const LONGEST_NAME = 255 - '.work~'.length - 16

/** What is inside. */
export const INSIDE = {
  /** Says that the owner lives. */
  heartbeat: 'heartbeat',
  /** The text that is searched; `searched.txt` once its archive is whole. */
  source: 'source.txt',
  searched: 'searched.txt',
  /** The result, whole as soon as it has the name. Always here, so that the core finds its own checkpoint again. */
  archive: 'archive.bin',
  /** Archives that are merged; `superseded/` once the result is whole. */
  archives: 'archives',
  superseded: 'superseded',
  /** What may be deleted, whatever it is. */
  removed: 'removed',
} as const

/** Whether an entry of a work directory is the core's own beginning of `archive.bin`. */
export function isLeftover(name: string): boolean {
  return name.startsWith(`.${INSIDE.archive}.`)
}
