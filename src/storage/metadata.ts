/**
 * The facts of an archive as metadata of the stored object: short ASCII texts under names that begin with `fold-`.
 *
 * S3 keeps two kilobytes in all, so the input's name is left out where it is long; the footer of the file has it.
 */
import { checkFacts, type ArchiveFacts } from '../archiving/facts.js'
import type { CompressedArchive } from '../archiving/compress.js'

const LONGEST_NAME = 800

/** SHA-256 of the whole object, in hex. */
export const SHA256 = 'fold-sha256'
/** Media type of compressed archives. */
export const ARCHIVE_TYPE = 'application/zstd'

export function metadataOf({ sha256, facts }: CompressedArchive): Record<string, string> {
  const name = facts.input && encodeURIComponent(Buffer.from(facts.input.name).toString())
  return {
    [SHA256]: sha256,
    'fold-stream-sha256': facts.sha256,
    'fold-unpacked-bytes': String(facts.unpackedBytes),
    'fold-program': facts.program,
    'fold-orthos': String(facts.orthoCount),
    'fold-complete': String(facts.complete),
    'fold-shards': facts.shards.join(' '),
    'fold-limits': facts.limits.join(' '),
    'fold-content-digest': facts.contentDigest,
    ...(facts.top !== undefined && { 'fold-top': String(facts.top) }),
    ...(facts.input && { 'fold-input-sha256': facts.input.sha256 }),
    ...(name !== null && name.length <= LONGEST_NAME && { 'fold-input': name }),
  }
}

/** The facts, if the metadata has them all. */
export function factsOfMetadata(metadata: Readonly<Record<string, string>>): ArchiveFacts | undefined {
  const digest = metadata['fold-input-sha256']
  const name = decoded(metadata['fold-input'])
  if (digest !== undefined && name === undefined) return undefined
  return checkFacts({
    sha256: metadata['fold-stream-sha256'],
    unpackedBytes: number(metadata['fold-unpacked-bytes']),
    program: metadata['fold-program'],
    input: digest === undefined ? null : { name, sha256: digest },
    orthoCount: number(metadata['fold-orthos']),
    complete: boolean(metadata['fold-complete']),
    shards: words(metadata['fold-shards']),
    limits: words(metadata['fold-limits']),
    contentDigest: metadata['fold-content-digest'],
    ...(metadata['fold-top'] !== undefined && { top: number(metadata['fold-top']) }),
  })
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function number(text: string | undefined): number {
  return /^\d+$/.test(text ?? '') ? Number(text) : Number.NaN
}

function boolean(text: string | undefined): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(' ').filter(Boolean)
}
