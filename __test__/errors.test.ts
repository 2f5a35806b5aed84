import { readFileSync } from 'node:fs'
import test from 'ava'
import { EXIT_CODES, FoldError, toFoldError } from '../src/errors.js'
import { systemError } from './support/world.js'

test('every code has an exit code of its own', (t) => {
  const codes = Object.values(EXIT_CODES)
  t.is(new Set(codes).size, codes.length)
  t.true(codes.every((code) => code > 0 && code < 256))
})

test('the codes of the core are all in the table', (t) => {
  const source = readFileSync('native/core/src/error.rs', 'utf8')
  const codes = [...source.matchAll(/=> "([A-Z_0-9]+)"/g)].map((match) => match[1] ?? '')
  t.true(codes.length > 10)
  for (const code of codes) t.true(Object.hasOwn(EXIT_CODES, code), code)
})

test('an error of the core keeps code, message and causes', (t) => {
  const message = JSON.stringify({
    code: 'DISK_FULL',
    message: 'writing x failed',
    causes: ['outer', 'inner'],
  })
  const error = toFoldError(new Error(message))
  t.true(error instanceof FoldError)
  t.is(error.code, 'DISK_FULL')
  t.is(error.exitCode, 8)
  t.is(error.message, 'writing x failed')
  t.like(error.cause, { message: 'outer', cause: { message: 'inner' } })
})

test('an unknown code of the core, or a broken message, is a defect', (t) => {
  t.is(toFoldError(new Error('{"code":"NEW","message":"m","causes":[]}')).code, 'INTERNAL')
  t.is(toFoldError(new Error('{"code":')).code, 'INTERNAL')
  t.is(toFoldError('text').code, 'INTERNAL')
})

test('errors of the system are named', (t) => {
  t.is(toFoldError(systemError('ENOSPC')).code, 'DISK_FULL')
  t.is(toFoldError(systemError('EROFS')).code, 'NOT_WRITABLE')
  t.is(toFoldError(systemError('EMFILE')).code, 'IO')
})

test('a FoldError stays what it is', (t) => {
  const error = new FoldError('CLOSED', 'closed')
  t.is(toFoldError(error), error)
})
