/**
 * Whether a program was linked with musl. Read from the program itself - the path of the dynamic loader that it asks for -
 * because a machine can have both C libraries, and what must match is the one of the running Node.
 */
import { closeSync, openSync, readSync } from 'node:fs'

const ELF_64_LITTLE_ENDIAN = '7f454c460201'
const HEADER_BYTES = 64
const INTERPRETER = 3
/** More than any program has, and any path is long; what is larger is not believed. */
const MOST_BYTES = 65536

/** False also for what is no 64-bit ELF program or has no dynamic loader. */
export function usesMusl(executable: string): boolean {
  let file: number | undefined
  try {
    file = openSync(executable, 'r')
    return interpreter(file)?.includes('/ld-musl-') ?? false
  } catch {
    return false
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function interpreter(file: number): string | undefined {
  const header = read(file, 0, HEADER_BYTES)
  if (!header.toString('hex').startsWith(ELF_64_LITTLE_ENDIAN)) return undefined
  const size = header.readUInt16LE(54)
  const table = read(file, Number(header.readBigUInt64LE(32)), size * header.readUInt16LE(56))
  if (size === 0) return undefined
  for (let entry = 0; entry + size <= table.length; entry += size) {
    if (table.readUInt32LE(entry) !== INTERPRETER) continue
    const path = read(
      file,
      Number(table.readBigUInt64LE(entry + 8)),
      Number(table.readBigUInt64LE(entry + 32)),
    )
    return path.toString('latin1')
  }
  return undefined
}

function read(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.min(length, MOST_BYTES))
  return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset))
}
