/** Options from the environment. */
import test from 'ava'
import fc from 'fast-check'
import { run } from '../../src/cli.js'
import { optionsOf, variableOf, withEnvironment } from '../../src/commands/environment.js'
import { summary } from '../support/summaries.js'
import { world } from '../support/world.js'

const OPTIONS = optionsOf({
  options: [
    { definition: '--max-time #0' },
    { definition: '--quiet' },
    { definition: '-o,--out #0' },
    { definition: '--text #0' },
  ],
})

async function searched(args: string[], env: Record<string, string>) {
  const it = world({ args, env })
  const calls: unknown[] = []
  const code = await run(
    it,
    async () =>
      ({
        search: async (input: unknown, options: { out: string }) => {
          calls.push({ input, options })
          return summary({ archive: options.out })
        },
      }) as never,
  )
  return { code, err: it.err, out: it.out, call: calls[0] }
}

test('the variable of an option is its name in capitals, but for one that had a name before', (t) => {
  t.is(variableOf('--max-time'), 'FOLD_MAX_TIME')
  t.is(variableOf('--state-dir'), 'LOCAL_STATE_DIR')
})

test('definitions give names and whether there is a value', (t) => {
  t.deepEqual(
    OPTIONS.map(({ name, names, takesValue }) => [name, names, takesValue]),
    [
      ['--max-time', ['--max-time'], true],
      ['--quiet', ['--quiet'], false],
      ['--out', ['-o', '--out'], true],
      ['--text', ['--text'], true],
    ],
  )
})

test('what is not given comes from the environment', (t) => {
  const env = { FOLD_MAX_TIME: '5s', FOLD_QUIET: 'yes', FOLD_OUT: 'env.bin', FOLD_TEXT: '["a","b"]' }
  const completed = withEnvironment(['search', 'x', '-o', 'mine'], 1, OPTIONS, env)
  t.deepEqual(completed.args, [
    'search',
    '--max-time=5s',
    '--quiet',
    '--text=a',
    '--text=b',
    'x',
    '-o',
    'mine',
  ])
  t.deepEqual([...completed.from.keys()], ['--max-time', '--quiet', '--text'])
})

test('an empty variable is none; 0 is no; anything odd is an error that names the variable', (t) => {
  t.deepEqual(withEnvironment(['x'], 0, OPTIONS, { FOLD_MAX_TIME: '', FOLD_QUIET: '0' }).args, ['x'])
  t.throws(() => withEnvironment(['x'], 0, OPTIONS, { FOLD_QUIET: 'perhaps' }), { message: /FOLD_QUIET/ })
})

test('behind a double dash nothing is an option', (t) => {
  const { args } = withEnvironment(['search', '--', '--quiet'], 1, OPTIONS, { FOLD_QUIET: '1' })
  t.deepEqual(args, ['search', '--quiet', '--', '--quiet'])
})

test('whatever the environment, arguments stay as they are and in their order', (t) => {
  const value = fc.string({ unit: fc.constantFrom('a', '"', '[', ']', ' ', '=', '-'), maxLength: 6 })
  fc.assert(
    fc.property(
      value,
      fc.array(
        value.filter((text) => !text.startsWith('-')),
        { maxLength: 4 },
      ),
      (text, args) => {
        const completed = withEnvironment(args, 0, OPTIONS, { FOLD_OUT: text })
        t.deepEqual(completed.args.slice(completed.args.length - args.length), args)
        t.is(completed.from.has('--out'), text !== '')
      },
    ),
  )
})

test('a command takes its options from variables, and the command line counts more', async (t) => {
  const env = { FOLD_MEMORY: '300M', FOLD_THREADS: '3', FOLD_JSON: '1', FOLD_MAX_ORTHOS: '7' }
  const { code, call, out } = await searched(['search', 'a.txt', '--threads', '2'], env)
  t.is(code, 0)
  t.like(call, { options: { memory: 300 * 2 ** 20, threads: 2, maxOrthos: 7 } })
  t.is(JSON.parse(out).archive, 'a.bin')
})

test('what is wrong with a variable is said by its name', async (t) => {
  const { code, err } = await searched(['search', 'a.txt'], { FOLD_THREADS: '0', FOLD_MEMORY: '1G' })
  t.is(code, 2)
  t.is(
    err,
    'fold-worker: INVALID_ARGUMENT: --threads must be a whole number of at least 1, not "0"\n' +
      '  --threads comes from FOLD_THREADS\n',
  )
})

test('an option that a command does not have is not given to it', async (t) => {
  const it = world({ args: ['completion', 'bash'], env: { FOLD_THREADS: '2', FOLD_QUIET: '1' } })
  t.is(await run(it, () => Promise.reject(new Error('not to be loaded'))), 0)
})

test('help names the variables and minds none', async (t) => {
  const it = world({ args: ['search', '--help'], env: { FOLD_QUIET: 'perhaps' } })
  t.is(await run(it, () => Promise.reject(new Error('not to be loaded'))), 0)
  t.regex(it.out, /--max-time +FOLD_MAX_TIME\n/)
})
