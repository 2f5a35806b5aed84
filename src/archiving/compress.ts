/**
 * An archive directory as one `.tar.zst` file.
 *
 * **Guarantees:** the same directory gives the same bytes; the file appears whole, under its name, or not at all; `tar
 * --zstd` and `zstd -t` read it.
 *
 * **Cost:** the tar stream is cut into frames of {@link FRAME_BYTES}, of which {@link PARALLEL} are compressed at a
 * time: some tens of megabytes for an archive of any size.
 */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { openArchive } from '../archive.js'
import { machine, type Files } from '../effects.js'
import { FoldError, systemCode, throwIfAborted, toFoldError } from '../errors.js'
import { formatSize } from '../machine/size.js'
import { encodeFooter, factsOf, type ArchiveFacts } from './facts.js'
import { FRAME_BYTES } from './frames.js'
import { tarOf, type PackedFile } from './tar.js'

const PARALLEL = 3
const LEVEL = 3

/** Options of {@link compressArchive}. */
export interface CompressOptions {
  /** The file to write, by convention `NAME.tar.zst`. It must not exist yet. */
  out: string
  /** Whether the file is to outlive a loss of power. Default: true; one that is only stored elsewhere need not. */
  durable?: boolean | undefined
  signal?: AbortSignal | undefined
  /** The file operations to use. @internal */
  files?: Files | undefined
}

/** A compressed archive. */
export interface CompressedArchive {
  path: string
  bytes: number
  /** SHA-256 of the whole file. */
  sha256: string
  facts: ArchiveFacts
}

/** Writes the archive directory as a `.tar.zst` file. */
export async function compressArchive(
  directory: string,
  { out, durable = true, signal, files = machine.files }: CompressOptions,
): Promise<CompressedArchive> {
  throwIfAborted(signal)
  const archive = await openArchive(directory)
  const { summary } = archive
  archive.close()
  const contents = await packedFiles(files, directory, Object.entries(summary.files))
  const unpacked = contents.reduce((sum, { bytes }) => sum + bytes, 0)
  const temporary = `${out}.tmp`
  // What a process that was killed has left is written anew; two never write the same file.
  await files.rm(temporary, { force: true })
  const handle = await files.open(temporary, 'wx')
  let bytes = 0
  try {
    const whole = createHash('sha256')
    const write = async (piece: Uint8Array) => {
      whole.update(piece)
      bytes += piece.length
      await handle.writeFile(piece)
    }
    for await (const frame of compressed(tarOf(files, directory, basename(directory), contents))) {
      throwIfAborted(signal)
      await write(frame)
    }
    const facts = { sha256: whole.copy().digest('hex'), ...factsOf(summary, unpacked) }
    await write(encodeFooter(facts))
    if (durable) await handle.sync()
    await handle.close()
    await publish(files, temporary, out)
    return { path: out, bytes, sha256: whole.digest('hex'), facts }
  } catch (error) {
    await handle.close().catch(() => undefined)
    await files.rm(temporary, { force: true })
    throw systemCode(error) === 'ENOSPC' ? noRoom(out, bytes, error) : toFoldError(error)
  }
}

function noRoom(out: string, bytes: number, cause: unknown): FoldError {
  return new FoldError(
    'DISK_FULL',
    `packing an archive into ${out} needs more than the ${formatSize(bytes)} that there was room for; ` +
      'the archive itself is kept; free some space and start again',
    { cause },
  )
}

/** What belongs to an archive: the files of its manifest, the manifest, and the sums. */
async function packedFiles(
  files: Files,
  directory: string,
  listed: readonly [string, { bytes: number }][],
): Promise<PackedFile[]> {
  const contents = listed.map(([path, { bytes }]) => ({ path, bytes }))
  for (const path of ['manifest.json', 'SHA256SUMS']) {
    contents.push({ path, bytes: (await files.stat(`${directory}/${path}`)).size })
  }
  return contents
}

/** Gives the finished file its name, unless something has it. */
async function publish(files: Files, temporary: string, out: string): Promise<void> {
  try {
    await files.link(temporary, out)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw new FoldError(
      'OUTPUT_EXISTS',
      `${out} is there already and is not overwritten; name another place`,
      {
        cause: error,
      },
    )
  }
  await files.rm(temporary)
}

/** The stream as frames, in order, each of which is a zstd file by itself. */
async function* compressed(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const { compress } = await import('@mongodb-js/zstd')
  const running: Promise<Buffer>[] = []
  for await (const piece of pieces(stream, FRAME_BYTES)) {
    const frame = compress(piece, LEVEL)
    // Awaited below; until then a failure must not count as unhandled.
    frame.catch(() => undefined)
    running.push(frame)
    const first = running.length >= PARALLEL ? running.shift() : undefined
    if (first) yield await first
  }
  for (const frame of running) yield await frame
}

/** The same bytes in pieces of one size, the last perhaps smaller. */
async function* pieces(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer, void, undefined> {
  let piece = Buffer.allocUnsafe(size)
  let filled = 0
  for await (let chunk of stream) {
    while (chunk.length > 0) {
      const taken = Math.min(chunk.length, size - filled)
      chunk.copy(piece, filled, 0, taken)
      filled += taken
      chunk = chunk.subarray(taken)
      if (filled === size) {
        yield piece
        piece = Buffer.allocUnsafe(size)
        filled = 0
      }
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}
