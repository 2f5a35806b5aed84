/** docs/json.md has the fields that the commands print, and no others. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ProgressDisplay } from '../src/report/progress.js'
import { foldWorker } from './support/program.js'
import { temporary, world } from './support/world.js'

const TEXT = 'the cat sat on the mat. a cat sat on a mat. the dog sat by a mat. a dog sat on the cat.'
const PAGE = readFileSync('docs/json.md', 'utf8')

/** The fields of some tables of the page. */
function documented(...tables: string[]): string[] {
  const names = tables.flatMap((table) => {
    const [, after] = PAGE.split(`<!-- fields: ${table} -->`)
    const rows = after?.split(/\n#|<!--/, 1)[0]?.match(/^\| `.*$/gm) ?? []
    return rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`(.*?)`/g)].map(([, name]) => name ?? ''),
    )
  })
  return [...new Set(names)].sort()
}

/** The fields of a value with dots for those inside; not the keys of maps, which are no fields. */
function fields(value: unknown, inside = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => fields(one, inside))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, one]) => {
    const path = inside + name
    const isMap = ['shapes', 'files', 'limits', 'proof', 'verified.problems'].includes(path)
    return isMap ? [path] : [path, ...fields(one, `${path}.`)]
  })
}

function printed(
  t: ExecutionContext,
  cwd: string,
  args: string[],
  env: Record<string, string> = {},
): string[] {
  const { code, out, err } = foldWorker([...args, '--json'], { cwd, env })
  t.is(code, 0, err)
  const values = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  // A group that the page only has the parts of.
  return [...new Set(values.flatMap((value) => fields(value)))].filter((name) => name !== 'verified').sort()
}

test('archives, orthos, stage, export and report', (t) => {
  const cwd = temporary(t)
  writeFileSync(join(cwd, 'one.txt'), TEXT)
  writeFileSync(join(cwd, 'two.txt'), TEXT.replaceAll('cat', 'bird'))
  const run = (...args: string[]) => printed(t, cwd, args)
  t.deepEqual(run('search', 'one.txt'), documented('archive'))
  t.deepEqual(run('search', 'two.txt'), documented('archive'))
  t.deepEqual(run('inspect', 'one.bin', '--verify'), documented('archive', 'verify'))
  // A merge of several texts is not of one input.
  const merged = documented('archive', 'merge').filter((name) => !name.startsWith('input.'))
  t.deepEqual(run('merge', 'one.bin', 'two.bin', '--out', 'both.bin'), merged)
  t.deepEqual(run('orthos', 'one.bin'), documented('orthos'))
  t.deepEqual(
    run('stage', 'one.txt', '--delimiter', 'the', '--min-length', '5', '--to', 'pieces'),
    documented('stage'),
  )
  t.deepEqual(run('export', 'one.bin', '--format', 'csv', '--out', 'one.csv'), documented('export'))
  t.deepEqual(run('report', 'one.bin', '--out', 'one.html'), documented('report'))
})

test('local mode', (t) => {
  const cwd = temporary(t)
  mkdirSync(join(cwd, 'fold_state/input'), { recursive: true })
  writeFileSync(join(cwd, 'fold_state/input/one.txt'), TEXT)
  writeFileSync(join(cwd, 'fold_state/input/two.txt'), TEXT.replaceAll('cat', 'bird'))
  t.deepEqual(printed(t, cwd, ['--quiet']), documented('archive', 'local'))
})

test('list', (t) => {
  const cwd = temporary(t)
  for (const bucket of ['fold-input', 'fold-archives']) mkdirSync(join(cwd, bucket))
  writeFileSync(join(cwd, 'fold-input/one.txt'), TEXT)
  const env = {
    DO_SPACES_ENDPOINT: `file://${cwd}`,
    INPUT_FILE: 'one.txt',
    LOCAL_STATE_DIR: join(cwd, 'state'),
  }
  t.is(foldWorker(['--mode', 'cloud-worker'], { cwd, env }).code, 0)
  t.deepEqual(printed(t, cwd, ['list'], env), documented('list'))
  t.deepEqual(printed(t, cwd, ['list', 'archives'], env), documented('list archives'))
})

test('doctor', (t) => {
  const found = printed(t, temporary(t), ['doctor'], { FOLD_MAX_TIEM: '1' })
  t.deepEqual(found, documented('doctor'))
})

test('progress', (t) => {
  const it = world()
  const display = new ProgressDisplay(it, { quiet: false, json: true })
  display.title = 'a'
  const core = {
    orthos: 1,
    shapes: { '2x2': 1 },
    best: { dims: [2, 2], words: ['a', 'b', 'c', 'd'] },
    memory: 1,
    disk: 1,
    diskFree: null,
  }
  const transfer = { bytes: 1, totalBytes: 2 }
  for (const [at, more] of [core, core, transfer].entries()) {
    it.clock += 5000
    display.tell({ phase: 'search', share: at / 10, ...more }, 0)
  }
  const lines = it.err.trim().split('\n')
  const names = new Set(
    lines.flatMap((line) => fields(JSON.parse(line)).filter((name) => !name.startsWith('best.'))),
  )
  t.deepEqual([...names].sort(), documented('progress'))
})
