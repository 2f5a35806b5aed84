import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { usesMusl } from '../../src/machine/libc.js'

const SCRATCH = mkdtempSync(join(tmpdir(), 'fold-libc-'))
test.after.always(() => rmSync(SCRATCH, { recursive: true }))

function file(bytes: Uint8Array): string {
  const path = join(SCRATCH, `${Math.random()}`)
  writeFileSync(path, bytes)
  return path
}

/** A program of which only the headers are there; some tools put the path of the loader at the very end. */
function elf(loader: string, padding = 0): Buffer {
  const header = Buffer.alloc(64)
  header.write('7f454c460201', 'hex')
  header.writeBigUInt64LE(64n, 32)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(2, 56)
  const [other, interpreter] = [Buffer.alloc(56), Buffer.alloc(56)]
  other.writeUInt32LE(1, 0)
  interpreter.writeUInt32LE(3, 0)
  interpreter.writeBigUInt64LE(BigInt(64 + 112 + padding), 8)
  interpreter.writeBigUInt64LE(BigInt(loader.length + 1), 32)
  return Buffer.concat([header, other, interpreter, Buffer.alloc(padding), Buffer.from(`${loader}\0`)])
}

test('the loader that a program asks for tells its C library', (t) => {
  t.true(usesMusl(file(elf('/lib/ld-musl-x86_64.so.1'))))
  t.true(usesMusl(file(elf('/lib/ld-musl-aarch64.so.1', 100_000))))
  t.false(usesMusl(file(elf('/lib64/ld-linux-x86-64.so.2'))))
})

test('what is no such program does not use musl', (t) => {
  t.false(usesMusl(join(SCRATCH, 'missing')))
  t.false(usesMusl(SCRATCH))
  t.false(usesMusl(file(Buffer.from('/lib/ld-musl-x86_64.so.1'))))
})

test('no bytes make it fail', (t) => {
  const whole = elf('/lib/ld-musl-x86_64.so.1')
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, at, value) => {
      const bytes = Buffer.from(whole)
      bytes[at] = value
      t.is(typeof usesMusl(file(bytes.subarray(0, length))), 'boolean')
    }),
    { numRuns: 300 },
  )
})
