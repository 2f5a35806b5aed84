/** Stopping the built program from outside, and reading only part of what it says. */
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { foldWorker, shell, startFoldWorker } from '../support/program.js'
import { endless, manySquares } from '../support/texts.js'
import { temporary } from '../support/world.js'

const ENDLESS = endless(60)

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends a search within a second and leaves nothing`, async (t) => {
    const cwd = temporary(t)
    writeFileSync(join(cwd, 'x.txt'), ENDLESS)
    const child = startFoldWorker(['search', 'x.txt', '--memory', '256M'], cwd)
    await sleep(1500)
    const sent = performance.now()
    child.kill(signal)
    const [exit] = (await once(child, 'exit')) as [number]
    t.is(exit, code)
    t.true(performance.now() - sent < 1000)
    t.deepEqual(readdirSync(cwd), ['x.txt'])
  })
}

test('Ctrl-C in local mode puts the text back', async (t) => {
  const state = temporary(t)
  mkdirSync(join(state, 'input'))
  writeFileSync(join(state, 'input/x.txt'), ENDLESS)
  const child = startFoldWorker(['--state-dir', state, '--memory', '256M'])
  await sleep(1500)
  child.kill('SIGINT')
  const [exit] = (await once(child, 'exit')) as [number]
  t.is(exit, 130)
  t.deepEqual(readdirSync(join(state, 'input')), ['x.txt'])
  t.deepEqual(readdirSync(join(state, 'in_process')), [])
})

const onPosix = process.platform === 'win32' ? test.skip : test

onPosix('a reader that stops reading is no error', (t) => {
  const cwd = temporary(t)
  const input = manySquares(20)
  t.is(foldWorker(['search', '-', '--out', 'x.bin'], { cwd, input }).code, 0)
  for (const json of ['', '--json']) {
    const { out, err } = shell(`{ "$NODE" "$BIN" orthos "$A" ${json}; echo "exit $?" >&2; } | head -n 1`, {
      A: join(cwd, 'x.bin'),
    })
    t.is(out.split('\n').length, 2)
    t.is(err, 'exit 0')
  }
})

test('--version answers with the version of the package', (t) => {
  const { code, out } = foldWorker(['--version'])
  t.is(code, 0)
  t.regex(out, /^\d+\.\d+\.\d+\n$/)
})
