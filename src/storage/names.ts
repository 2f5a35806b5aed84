/**
 * Names of archive objects: `{input_name}_{timestamp}.tar.zst`, where the input's name is its key less `.txt` and the
 * timestamp is in Unix seconds; a shard is `{input_name}_shard-{i}-of-{n}_{timestamp}.tar.zst`.
 *
 * A name is for people and for grouping at a glance. What an archive holds is said by its facts.
 */
import { createHash } from 'node:crypto'

/** S3's limit, in bytes. */
export const LONGEST_KEY = 1024
export const ARCHIVE_EXTENSION = '.tar.zst'
export const INPUT_EXTENSION = '.txt'

/** One of n parts of the search of a text. */
export interface Shard {
  index: number
  count: number
}

/** What an archive's name says. */
export interface ArchiveName {
  inputName: string
  shard: Shard | undefined
  /** Unix seconds. */
  timestamp: number
}

/** The input's name in archives: its key less `.txt`. Folders in the key are kept. */
export function nameOfInput(key: string): string {
  return key.endsWith(INPUT_EXTENSION) ? key.slice(0, -INPUT_EXTENSION.length) : key
}

/** The key of an archive. A name that would make it too long for S3 is cut, and a hash of it added. */
export function archiveKey({ inputName, shard, timestamp }: ArchiveName): string {
  const part = shard ? `_shard-${shard.index}-of-${shard.count}` : ''
  const rest = `${part}_${timestamp}${ARCHIVE_EXTENSION}`
  return shortened(inputName, LONGEST_KEY - rest.length) + rest
}

/** What the key says, if it is one of an archive. */
export function parseArchiveKey(key: string): ArchiveName | undefined {
  const match = /^(.+?)(?:_shard-(\d{1,9})-of-(\d{1,9}))?_(\d{1,12})\.tar\.zst$/s.exec(key)
  if (!match) return undefined
  const [, inputName = '', index, count, timestamp] = match
  const shard = index && count ? { index: Number(index), count: Number(count) } : undefined
  return { inputName, shard, timestamp: Number(timestamp) }
}

/** The text if it has at most so many bytes, or else its beginning, a `~`, and a part of its SHA-256. */
export function shortened(text: string, most: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return text
  const mark = `~${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
  let end = most - mark.length
  // Not inside a character: its later bytes begin with the bits 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end).toString() + mark
}
