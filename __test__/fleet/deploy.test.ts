/** What deploy/ says of the program, where no machine of others is needed to try it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { EXIT_CODES, type ErrorCode } from '../../src/errors.js'
import { parseShard } from '../../src/worker/environment.js'
import { shell } from '../support/program.js'
import { temporary } from '../support/world.js'

const manifest = readFileSync('deploy/kubernetes.yaml', 'utf8')
const number = (name: string) => Number(new RegExp(`^ {2}${name}: (\\d+)$`, 'm').exec(manifest)?.[1])

test('the pods of the Job search all shards, each its own', (t) => {
  const command = / - sh\n +- -c\n +- (.+)\n/.exec(manifest)?.[1] ?? ''
  const programs = temporary(t)
  const program = '#!/bin/sh\nenv | grep ^FOLD_SHARD=\necho "$*"\n'
  writeFileSync(join(programs, 'fold-worker'), program, { mode: 0o755 })
  const path = `${programs}:${process.env['PATH'] ?? ''}`
  const all = number('completions')
  for (let index = 0; index < all; index += 1) {
    const { out } = shell(command, { PATH: path, JOB_COMPLETION_INDEX: String(index) })
    t.deepEqual(out.split('\n'), [`FOLD_SHARD=${index + 1}/${all}`, '--mode cloud-worker', ''])
    t.deepEqual(parseShard(out.slice('FOLD_SHARD='.length).split('\n')[0] ?? ''), {
      index: index + 1,
      count: all,
    })
  }
  t.is(number('parallelism'), all)
})

test('the Job does not try again what another try cannot change', (t) => {
  const lasting: ErrorCode[] = [
    'INVALID_ARGUMENT',
    'INPUT_NOT_FOUND',
    'INPUT_UNREADABLE',
    'INPUT_NOT_UTF8',
    'INPUT_TOO_LARGE',
    'LIMIT_REACHED',
    'ENVIRONMENT_INVALID',
    'STORAGE_DENIED',
    'BUCKET_NOT_FOUND',
  ]
  const values = /values: \[(.+)\]/.exec(manifest)?.[1]?.split(', ').map(Number)
  t.deepEqual(
    values,
    lasting.map((code) => EXIT_CODES[code]),
  )
})

test('the image is of the version of this package', (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  t.true(manifest.includes(`image: fold-worker:${version}\n`))
})
