/**
 * What is worth knowing about a compressed archive without reading it.
 *
 * It travels in two places: in the metadata of the stored object, and in a *footer*, a skippable frame at the end of the
 * `.tar.zst`, which `zstd` and `tar` pass over. So it is not lost when a tool copies the file without its metadata, or
 * when it is stored by a presigned URL, which cannot carry any. `docs/formats/tar_zst.md` has the bytes.
 */
import type { ArchiveSummary } from '../manifest.js'

/** Facts about one compressed archive. */
export interface ArchiveFacts {
  /** SHA-256 of all bytes before the footer. */
  sha256: string
  /** Bytes of the unpacked files. */
  unpackedBytes: number
  /** Program that wrote the archive, such as `fold-worker 0.1.0`. */
  program: string
  /** The text, if it is the archive of one. */
  input: { name: string; sha256: string } | null
  orthoCount: number
  complete: boolean
  /** Finished shards `i/n` that it holds. */
  shards: string[]
  /** Names of the limits that ended the search early. */
  limits: string[]
  contentDigest: string
  /** If the search was for the optimum: how many of the best were wanted. */
  top?: number | undefined
}

/** The longest footer that is looked for. Names of inputs have at most some thousand bytes. */
export const LONGEST_FOOTER = 64 * 1024

/** Number by which readers of zstd know that they may pass a frame over. */
const SKIPPABLE = 0x184d2a5e
const MAGIC = Buffer.from('FOLDFACT')
/** Length of the text, and the magic. */
const TAIL = 4 + MAGIC.length

/** The facts of an archive directory; its compressed form has the SHA-256. */
export function factsOf(summary: ArchiveSummary, unpackedBytes: number): Omit<ArchiveFacts, 'sha256'> {
  const { program, input, orthoCount, complete, shards, contentDigest, proof } = summary
  return {
    unpackedBytes,
    program,
    input: input && { name: input.name, sha256: input.sha256 },
    orthoCount,
    complete,
    shards,
    limits: summary.limits.map(({ name }) => name),
    contentDigest,
    ...(proof && { top: proof.top }),
  }
}

/** The footer: a skippable frame of the facts as JSON, its length, and the magic. */
export function encodeFooter(facts: ArchiveFacts): Buffer {
  const text = Buffer.from(JSON.stringify(facts))
  const head = Buffer.alloc(8)
  head.writeUInt32LE(SKIPPABLE, 0)
  head.writeUInt32LE(text.length + TAIL, 4)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([head, text, length, MAGIC])
}

/** The facts and the length of the footer that these last bytes of a file end in; undefined if they end otherwise. */
export function parseFooter(end: Buffer): { facts: ArchiveFacts; length: number } | undefined {
  if (end.length < 8 + TAIL || !end.subarray(-MAGIC.length).equals(MAGIC)) return undefined
  const textLength = end.readUInt32LE(end.length - TAIL)
  const length = 8 + textLength + TAIL
  if (length > end.length) return undefined
  const frame = end.subarray(end.length - length)
  if (frame.readUInt32LE(0) !== SKIPPABLE || frame.readUInt32LE(4) !== textLength + TAIL) return undefined
  try {
    const facts = checkFacts(JSON.parse(frame.subarray(8, 8 + textLength).toString()))
    return facts && { facts, length }
  } catch {
    return undefined
  }
}

/** The value as facts if it has their form: it was written by who knows whom. */
export function checkFacts(value: unknown): ArchiveFacts | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const facts = value as Record<string, unknown>
  const { input } = facts
  const named =
    input === null ||
    (typeof input === 'object' &&
      typeof (input as Record<string, unknown>)['name'] === 'string' &&
      isDigest((input as Record<string, unknown>)['sha256']))
  const sound =
    named &&
    isDigest(facts['sha256']) &&
    typeof facts['contentDigest'] === 'string' &&
    typeof facts['program'] === 'string' &&
    typeof facts['complete'] === 'boolean' &&
    count(facts['unpackedBytes']) &&
    count(facts['orthoCount']) &&
    strings(facts['shards']) &&
    strings(facts['limits']) &&
    (facts['top'] === undefined || count(facts['top']))
  return sound ? (value as ArchiveFacts) : undefined
}

function isDigest(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function strings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function count(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
