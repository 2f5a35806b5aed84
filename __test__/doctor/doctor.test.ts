/** Diagnoses, with a pretended machine and a real storage in a directory. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { diagnose, problemsFound, type DoctorOptions, type Finding } from '../../src/doctor/doctor.js'
import { clock } from '../../src/effects.js'
import { FoldError } from '../../src/errors.js'
import { foldWorker } from '../support/program.js'
import { systemError, temporary, world, type WorldOptions } from '../support/world.js'

async function examined(
  stateDirectory: string,
  options: WorldOptions = {},
  changes: Partial<DoctorOptions> = {},
): Promise<Finding[]> {
  return diagnose({
    effects: {
      ...world({ memory: 8 * 2 ** 30, ...options }),
      sleep: clock.sleep,
      ...(changes.effects as object | undefined),
    },
    tryBinary: changes.tryBinary ?? (async () => undefined),
    stateDirectory,
    variables: new Set(['FOLD_MAX_TIME', 'FOLD_MEMORY']),
    write: changes.write ?? false,
    signal: new AbortController().signal,
  })
}

const states = (findings: Finding[]) => findings.map(({ check, state }) => `${check} ${state}`)
const about = (findings: Finding[], check: string) => findings.filter((finding) => finding.check === check)

test('where everything is in order nothing else is said, and nothing stays behind', async (t) => {
  const path = temporary(t)
  const findings = await examined(path)
  t.deepEqual(states(findings), [
    'node ok',
    'binary ok',
    'memory ok',
    'processors ok',
    'disk ok',
    'environment ok',
    'storage ok',
  ])
  t.is(problemsFound(findings), undefined)
  t.deepEqual(readdirSync(path), [])
})

test('each thing that is wrong has a remedy', async (t) => {
  const path = temporary(t)
  const effects = { system: { node: 'v18.1.0', platform: 'sunos', arch: 'sparc', libc: '' } }
  const findings = await examined(
    join(path, 'no/where'),
    { memory: 2 ** 27 },
    {
      effects: effects as never,
      tryBinary: () => Promise.reject(new FoldError('NO_ADDON', 'there is no build')),
    },
  )
  t.deepEqual(states(findings).slice(0, 5), [
    'node problem',
    'binary problem',
    'memory problem',
    'processors ok',
    'disk problem',
  ])
  for (const { state, remedy } of findings) t.is(remedy !== undefined, state !== 'ok')
  t.is(problemsFound(findings)?.code, 'PROBLEMS_FOUND')
  t.regex(about(findings, 'binary')[0]?.found ?? '', /sunos sparc.*NO_ADDON/)
})

test('little memory and little disk are warnings', async (t) => {
  const files = { statfs: async () => ({ bavail: 10, bsize: 4096, blocks: 1000 }) }
  const findings = await examined(temporary(t), { memory: 300 * 2 ** 20, files: files as never })
  t.is(about(findings, 'memory')[0]?.state, 'warning')
  t.is(about(findings, 'disk')[0]?.state, 'warning')
  t.is(problemsFound(findings), undefined)
})

test('a place that cannot be written to is a problem', async (t) => {
  const files = { writeFile: () => Promise.reject(systemError('EROFS')) }
  const [finding] = about(await examined(temporary(t), { files }), 'disk')
  t.is(finding?.state, 'problem')
  t.regex(finding?.found ?? '', /cannot be written to/)
})

test('a variable that means nothing is named with the one that was meant', async (t) => {
  const env = { FOLD_MAX_TIEM: 'secret', FOLD_ABCDEFGHIJK: 'secret', FOLD_MEMORY: 'secret', HOME: '/' }
  const findings = about(await examined(temporary(t), { env }), 'environment')
  t.deepEqual(
    findings.map(({ state, found, remedy }) => [state, found, remedy]),
    [
      ['ok', 'set: FOLD_MEMORY', undefined],
      ['warning', 'FOLD_MAX_TIEM means nothing to this program', 'did you mean FOLD_MAX_TIME?'],
      [
        'warning',
        'FOLD_ABCDEFGHIJK means nothing to this program',
        'take it away; fold-worker COMMAND --help names those that there are',
      ],
    ],
  )
})

function storage(t: Parameters<typeof temporary>[0]) {
  const path = temporary(t)
  mkdirSync(join(path, 'fold-input'))
  mkdirSync(join(path, 'fold-archives'))
  return { path, env: { DO_SPACES_ENDPOINT: `file://${path}` } }
}

test('a storage is listed, read, and written to only when asked', async (t) => {
  const { path, env } = storage(t)
  writeFileSync(join(path, 'fold-input/a.txt'), 'text')
  const findings = about(await examined(temporary(t), { env }), 'storage')
  t.deepEqual(states(findings), ['storage ok', 'storage ok', 'storage ok', 'storage ok'])
  t.regex(
    findings.map(({ found }) => found).join('\n'),
    /may list inputs\n.*may read an input\n.*may list archives\n.*--write/,
  )
  t.deepEqual(readdirSync(join(path, 'fold-archives')), [])
  const written = about(await examined(temporary(t), { env }, { write: true }), 'storage')
  t.regex(
    written.at(-1)?.found ?? '',
    /may store an archive \(as fold-worker-doctor-[0-9a-f]{16}, which can be deleted\)/,
  )
  t.regex(readdirSync(join(path, 'fold-archives')).join(), /^fold-worker-doctor-[0-9a-f]{16}$/)
})

test('a bucket that is not there, and variables that are wrong, are problems', async (t) => {
  const missing = about(
    await examined(temporary(t), { env: { DO_SPACES_ENDPOINT: `file://${temporary(t)}` } }),
    'storage',
  )
  t.is(missing[0]?.state, 'problem')
  t.regex(missing[0]?.remedy ?? '', /make the bucket/)
  const secret = 'not shown'
  const wrong = about(
    await examined(temporary(t), { env: { DO_SPACES_REGION: 'nyc3', DO_SPACES_SECRET_KEY: secret } }),
    'storage',
  )
  t.true(wrong.length >= 2)
  t.true(wrong.every(({ state }) => state === 'problem'))
  t.regex(wrong.map(({ found }) => found).join('\n'), /DO_SPACES_ACCESS_KEY is missing/)
  t.notRegex(JSON.stringify(wrong), new RegExp(secret))
})

test('an endpoint that nobody answers at is a problem, not a hang', async (t) => {
  const env = {
    DO_SPACES_ENDPOINT: 'http://127.0.0.1:9',
    DO_SPACES_ACCESS_KEY: 'a',
    DO_SPACES_SECRET_KEY: 'b',
  }
  const findings = about(await examined(temporary(t), { env }), 'storage')
  t.true(findings.some(({ state }) => state === 'problem'))
  t.regex(findings[0]?.remedy ?? '', /DO_SPACES_ENDPOINT/)
})

test('the command: text, JSON, and an exit code of its own', (t) => {
  const cwd = temporary(t)
  const well = foldWorker(['doctor', '--json'], { cwd })
  t.is(well.code, 0, well.err)
  t.true(JSON.parse(well.out).ok)
  const ill = foldWorker(['doctor', '--state-dir', 'no/where/at/all'], { cwd })
  t.is(ill.code, 41)
  t.regex(ill.out, /^PROBLEM disk {9}no\/where\/at\/all cannot be written to/m)
  t.regex(ill.out, /^ +-> choose another place/m)
})
