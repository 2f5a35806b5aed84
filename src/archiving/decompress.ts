/**
 * A `.tar.zst` back to an archive directory.
 *
 * It may come from anywhere. **Guarantees:** nothing is written outside a temporary directory beside the target;
 * no entry is written before its path, kind and length are found in order, and there is room for it; the directory
 * appears whole, holding what its manifest lists and nothing else, or not at all.
 *
 * **Cost:** some twenty megabytes, and for frames of other tools their window (8 MiB for the levels in common use, 128 MiB
 * at most). Reading, decoding, summing and writing go on at the same time.
 */
import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { openArchive } from '../archive.js'
import { machine, type Files } from '../effects.js'
import { FoldError, cancelled, systemCode, throwIfAborted, toFoldError } from '../errors.js'
import type { ArchiveSummary } from '../manifest.js'
import { Buffers, Pieces } from './buffers.js'
import { Decoding, LANES } from './decoding.js'
import { LONGEST_FOOTER, parseFooter, type ArchiveFacts } from './facts.js'
import { FRAME_BYTES, FrameCutter, LONGEST_FRAME } from './frames.js'
import { Unpacking } from './unpacking.js'

const READ_BYTES = 1 << 20
/** Packed: those being decoded, one that is filled, one that is full. */
const PACKED_PIECES = LANES + 2
/** Unpacked: those being decoded, one with the parser, and those being written. */
const UNPACKED_PIECES = LANES + 4

/** Options of {@link decompressArchive}. */
export interface DecompressOptions {
  /** The archive directory to make. It must not exist yet. */
  out: string
  /** The most bytes that may be unpacked. Default: what the file says of itself, and what the disk has. */
  maxBytes?: number | undefined
  signal?: AbortSignal | undefined
  /** The file operations to use. @internal */
  files?: Files | undefined
}

/** Unpacks a compressed archive. */
export async function decompressArchive(
  path: string,
  { out, maxBytes, signal, files = machine.files }: DecompressOptions,
): Promise<ArchiveSummary> {
  throwIfAborted(signal)
  await refuseExisting(files, out)
  const footer = await readFooter(path, files).catch((error: unknown) => {
    throw toFoldError(error)
  })
  const expected = footer && { sha256: footer.facts.sha256, bytes: footer.total - footer.length }
  const declared = Math.min(maxBytes ?? Infinity, footer?.facts.unpackedBytes ?? Infinity)
  return unpackArchive((pieces) => copyFile(path, pieces, files), {
    from: path,
    out,
    declared,
    expected,
    signal,
    files,
  })
}

async function copyFile(path: string, pieces: Pieces, files: Files): Promise<void> {
  const handle = await files.open(path, 'r')
  try {
    for (const buffer = Buffer.allocUnsafe(READ_BYTES); ;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length)
      if (bytesRead === 0) return
      await pieces.write(buffer.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}

/** What {@link unpackArchive} is to know. */
export interface UnpackOptions {
  /** What is unpacked, for people. */
  from: string
  out: string
  /** The most bytes that the files may have together. */
  declared: number
  /** The sum of the first so many bytes; undefined if nobody says. */
  expected: { sha256: string; bytes: number } | undefined
  /** Whether the directory is to outlive a loss of power. Default: true. */
  durable?: boolean | undefined
  signal?: AbortSignal | undefined
  files: Files
}

/** Unpacks the bytes that `source` writes, while it writes them. Its signal is aborted when they are of no use any more. */
export async function unpackArchive(
  source: (pieces: Pieces, signal: AbortSignal) => Promise<void>,
  { from, out, declared, expected, durable = true, signal, files }: UnpackOptions,
): Promise<ArchiveSummary> {
  await refuseExisting(files, out)
  const temporary = join(
    dirname(out),
    `.${basename(out).slice(0, 200)}.tmp-${randomBytes(8).toString('hex')}`,
  )
  const packed = new Buffers(LONGEST_FRAME, PACKED_PIECES)
  const unpacked = new Buffers(FRAME_BYTES, UNPACKED_PIECES)
  const pieces = new Pieces(packed, new FrameCutter())
  const ending = new AbortController()
  const fail = (error: unknown) => {
    pieces.fail(error)
    ending.abort(error)
  }
  const stop = () => signal && fail(cancelled(signal))
  signal?.addEventListener('abort', stop)
  try {
    await files.mkdir(temporary)
    const unpacking = new Unpacking({
      from,
      directory: temporary,
      declared,
      durable,
      buffers: unpacked,
      files,
    })
    const decoding = await Decoding.of(pieces, { packed, unpacked, summed: expected?.bytes ?? 0 })
    const given = source(pieces, ending.signal).then(() => pieces.end(), fail)
    try {
      await unpacking.run(decoding.decoded())
      if (expected && (await decoding.sha256()) !== expected.sha256) {
        throw new FoldError('DAMAGED', `${from} has another SHA-256 than it declares; get it again`)
      }
    } catch (error) {
      fail(error)
      throw error
    } finally {
      // Nobody reads or writes for this any more when it has ended.
      await given
    }
    throwIfAborted(signal)
    const root = unpacking.root()
    const archive = await openArchive(root)
    const { summary } = archive
    archive.close()
    unpacking.refuseStrangers(Object.keys(summary.files))
    await refuseExisting(files, out)
    await files.rename(root, out)
    return { ...summary, archive: out }
  } catch (error) {
    throw toFoldError(error)
  } finally {
    signal?.removeEventListener('abort', stop)
    await files.rm(temporary, { recursive: true, force: true })
  }
}

/** What the end of a compressed archive says of it; undefined for one that other tools made. */
export async function readFooter(
  path: string,
  files: Files = machine.files,
): Promise<{ facts: ArchiveFacts; length: number; total: number } | undefined> {
  const handle = await files.open(path, 'r')
  try {
    const { size } = await handle.stat()
    const end = Buffer.alloc(Math.min(size, LONGEST_FOOTER))
    await handle.read(end, 0, end.length, size - end.length)
    const footer = parseFooter(end)
    return footer && { ...footer, total: size }
  } finally {
    await handle.close()
  }
}

async function refuseExisting(files: Files, out: string): Promise<void> {
  try {
    await files.lstat(out)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  throw new FoldError('OUTPUT_EXISTS', `${out} is there already and is not overwritten; name another place`)
}
