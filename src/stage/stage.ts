/**
 * Splits a file into inputs. Bytes are copied as they are and never held as a whole. Files are written under hidden
 * names, made durable, and only when all are there do they get their names, none of which may be taken.
 */
import { basename, join } from 'node:path'
import type { Files } from '../effects.js'
import { FoldError, systemCode, throwIfAborted, toFoldError } from '../errors.js'
import { inputName } from '../input.js'
import { exists, placeFile, syncDirectories } from '../state/moves.js'
import { Cutter, type Piece } from './cut.js'

const CHUNK = 1 << 20
const TITLE_BYTES = 240

/** A file to be made. */
export interface StagedPiece extends Piece {
  name: string
  bytes: number
  /** Its first line, or the beginning of that. */
  title: string
}

/** How a text is cut. */
export interface StagePlan {
  /** The file that is cut. */
  source: string
  pieces: StagedPiece[]
  /** Lines that begin with the delimiter. */
  found: number
}

export interface StageOptions {
  delimiter: string
  /** Bytes that a piece has at least. */
  minLength: number
  signal?: AbortSignal | undefined
}

type Handle = Awaited<ReturnType<Files['open']>>

/** Reads the file once and decides where to cut. */
export async function planStage(files: Files, source: string, options: StageOptions): Promise<StagePlan> {
  const cutter = new Cutter(options.delimiter, options.minLength)
  return reading(files, source, async (file) => {
    const { size } = await file.stat()
    for await (const chunk of bytesOf(file, 0, Infinity, options.signal)) cutter.feed(chunk)
    const pieces = cutter.end()
    if (cutter.found === 0) {
      const what = size === 0 ? 'it is empty' : `no line begins with "${options.delimiter}"`
      throw new FoldError('INVALID_ARGUMENT', `${source} cannot be cut: ${what}; nothing was written`)
    }
    const digits = Math.max(3, String(pieces.length).length)
    const stem = inputName(basename(source))
    const staged: StagedPiece[] = []
    for (const [at, { start, end }] of pieces.entries()) {
      const name = `${stem}-${String(at + 1).padStart(digits, '0')}.txt`
      staged.push({ name, start, end, bytes: end - start, title: await titleAt(file, start) })
    }
    return { source, pieces: staged, found: cutter.found }
  })
}

async function titleAt(file: Handle, start: number): Promise<string> {
  const buffer = Buffer.alloc(TITLE_BYTES)
  const { bytesRead } = await file.read(buffer, 0, TITLE_BYTES, start)
  // A character cut at the end of the buffer is not part of the title; neither is what a terminal would obey.
  const text = new TextDecoder().decode(buffer.subarray(0, bytesRead), { stream: true })
  const line = text.split(/[\n\r]/).find((one) => one.trim() !== '') ?? ''
  return line.replace(/\p{Cc}/gu, ' ').trim()
}

/** Writes the pieces of a plan into a directory, all or none. */
export async function writeStage(
  { files, uniqueId }: { files: Files; uniqueId: () => string },
  { source, pieces }: StagePlan,
  directory: string,
  signal?: AbortSignal,
): Promise<void> {
  await files.mkdir(directory, { recursive: true })
  for (const { name } of pieces) {
    if (await exists(files, join(directory, name))) throw taken(directory, name)
  }
  const hidden = (name: string) => join(directory, `.${name}.${id}`)
  const id = uniqueId()
  const written: string[] = []
  try {
    await reading(files, source, async (file) => {
      for (const { name, start, end } of pieces) {
        const path = hidden(name)
        written.push(path)
        await copy(files, file, { start, end }, path, signal)
      }
      const { size } = await file.stat()
      if (size !== pieces.at(-1)?.end) throw changed(source)
    })
    for (const { name } of pieces) {
      if (!(await placeFile(files, hidden(name), join(directory, name)))) throw taken(directory, name)
      written.shift()
    }
    await syncDirectories(files, directory)
  } catch (error) {
    for (const path of written) await files.rm(path, { force: true }).catch(() => undefined)
    throw error
  }
}

async function copy(
  files: Files,
  from: Handle,
  { start, end }: Piece,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await files.open(to, 'wx')
  try {
    let length = 0
    for await (const chunk of bytesOf(from, start, end, signal)) {
      // A write may take less than it is given.
      for (let done = 0; done < chunk.length;) {
        done += (await file.write(chunk, done, chunk.length - done)).bytesWritten
      }
      length += chunk.length
    }
    if (length !== end - start) throw changed('the text')
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The bytes from one offset to another or to the end. The same memory is used for every chunk. */
async function* bytesOf(
  file: Handle,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = Buffer.alloc(CHUNK)
  for (let at = start; at < end;) {
    throwIfAborted(signal)
    const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK, end - at), at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** Opens an input for reading, with errors that say what is wrong with it. */
async function reading<T>(files: Files, path: string, use: (file: Handle) => Promise<T>): Promise<T> {
  let file: Handle
  try {
    file = await files.open(path, 'r')
  } catch (error) {
    const absent = systemCode(error) === 'ENOENT'
    throw absent
      ? new FoldError('INPUT_NOT_FOUND', `there is no file ${path}`, { cause: error })
      : unreadable(path, error)
  }
  try {
    if (!(await file.stat()).isFile()) throw unreadable(path, undefined)
    return await use(file)
  } catch (error) {
    throw toFoldError(error)
  } finally {
    await file.close()
  }
}

function unreadable(path: string, cause: unknown): FoldError {
  return new FoldError('INPUT_UNREADABLE', `${path} cannot be read as a file`, cause ? { cause } : undefined)
}

function taken(directory: string, name: string): FoldError {
  return new FoldError('OUTPUT_EXISTS', `${join(directory, name)} is there already; nothing is overwritten`)
}

function changed(path: string): FoldError {
  return new FoldError('INPUT_UNREADABLE', `${path} changed while it was read; stage it again`)
}
