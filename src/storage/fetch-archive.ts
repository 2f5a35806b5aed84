/**
 * An archive from a bucket to an archive directory, unpacked while it arrives: its compressed form never lies on the disk.
 *
 * **Guarantees:** those of `download.ts` and `decompress.ts` together: a connection that breaks is gone on with, nothing that
 * differs from what was stored is taken, and the directory appears whole or not at all.
 *
 * What arrives is decoded before its sum is known. So where that fails, or the object changes meanwhile, the archive is brought
 * once more the long way, as a file that is checked and then unpacked: that tells damage on the way from damage that is stored.
 */
import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { parseFooter, type ArchiveFacts } from '../archiving/facts.js'
import type { Pieces } from '../archiving/buffers.js'
import { decompressArchive, unpackArchive } from '../archiving/decompress.js'
import type { Files } from '../effects.js'
import { FoldError } from '../errors.js'
import type { ArchiveSummary } from '../manifest.js'
import type { Bucket } from './bucket.js'
import { download, receive, type ReceiveOptions, type Target } from './download.js'
import { SHA256, factsOfMetadata } from './metadata.js'

/** Options of {@link fetchArchive}. */
export interface FetchOptions extends ReceiveOptions {
  /** The archive directory to make. It must not exist yet. */
  out: string
  /** Whether it is to outlive a loss of power. */
  durable: boolean
  /** The end of the object. */
  readEnd: () => Promise<Buffer>
  files: Files
}

/** What one may expect of an archive that says something of itself. */
interface Expected {
  facts: ArchiveFacts
  /** The sum of the first so many bytes. */
  sum: { sha256: string; bytes: number }
}

/** What what was unpacked may be when it is not what was stored. */
const DOUBTFUL = new Set(['DAMAGED', 'ARCHIVE_UNSAFE', 'NOT_AN_ARCHIVE', 'NEWER_FORMAT', 'TRANSFER_DAMAGED'])

/** Brings an archive and unpacks it. */
export async function fetchArchive(
  bucket: Bucket,
  key: string,
  options: FetchOptions,
): Promise<ArchiveSummary> {
  const expected = await expectation(bucket, key, options)
  if (expected) {
    try {
      return await unpackArriving(bucket, key, expected, options)
    } catch (error) {
      if (!(error instanceof FoldError) || !DOUBTFUL.has(error.code)) throw error
    }
  }
  return unpackArrived(bucket, key, options)
}

async function expectation(
  bucket: Bucket,
  key: string,
  { signal, readEnd }: FetchOptions,
): Promise<Expected | undefined> {
  const head = await bucket.head(key, signal)
  if (!head) return undefined
  const [sha256, said] = [head.metadata[SHA256], factsOfMetadata(head.metadata)]
  if (said && sha256 !== undefined) return { facts: said, sum: { sha256, bytes: head.bytes } }
  const footer = parseFooter(await readEnd())
  return (
    footer && { facts: footer.facts, sum: { sha256: footer.facts.sha256, bytes: head.bytes - footer.length } }
  )
}

function unpackArriving(
  bucket: Bucket,
  key: string,
  { facts, sum }: Expected,
  options: FetchOptions,
): Promise<ArchiveSummary> {
  const bring = async (pieces: Pieces, signal: AbortSignal) => {
    await receive(bucket, key, new Arriving(pieces), { ...options, signal })
  }
  return unpackArchive(bring, {
    ...options,
    from: `${bucket.url}/${key}`,
    declared: facts.unpackedBytes,
    expected: sum,
  })
}

async function unpackArrived(bucket: Bucket, key: string, options: FetchOptions): Promise<ArchiveSummary> {
  const { out, files, signal } = options
  const name = `.${basename(out).slice(0, 200)}.tmp-${randomBytes(8).toString('hex')}.tar.zst`
  const file = join(dirname(out), name)
  try {
    await download(bucket, key, file, options)
    return await decompressArchive(file, { out, signal, files })
  } finally {
    for (const path of [file, `${file}.part`, `${file}.part.tag`]) await files.rm(path, { force: true })
  }
}

/** Bytes that are used as they come, so none can be had back. */
class Arriving implements Target {
  bytes = 0
  tag: string | undefined
  readonly #pieces: Pieces

  constructor(pieces: Pieces) {
    this.#pieces = pieces
  }

  async restart(tag: string | undefined): Promise<void> {
    if (this.bytes > 0) throw new FoldError('TRANSFER_DAMAGED', 'the object changed while it was read')
    this.tag = tag
  }

  async expect(): Promise<void> {
    // Unpacking looks at the room for each file.
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#pieces.write(chunk)
    this.bytes += chunk.length
  }
}
