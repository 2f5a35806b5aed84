/** Exports, read back by other programs where there are some. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import test from 'ava'
import fc from 'fast-check'
import type { OrthoFilter } from '../../src/archive.js'
import { exportOrthos, type ExportOptions } from '../../src/export/export.js'
import { openArchive, search } from '../../src/index.js'
import { run } from '../../src/cli.js'
import { foldWorker, shell } from '../support/program.js'
import { manySquares } from '../support/texts.js'
import { temporary, world } from '../support/world.js'

interface Row {
  shape: string
  dims: number[]
  words: string[]
}

/** An archive that lists these orthos, in chunks of whole lines. */
function archiveOf(rows: readonly Row[], each = 2) {
  return {
    async *text(_filter: OrthoFilter) {
      for (let at = 0; at < rows.length; at += each) {
        const lines = rows.slice(at, at + each).map(({ shape, words }) => `${shape}\t${words.join(' ')}\n`)
        yield Buffer.from(lines.join(''))
      }
    },
  }
}

async function exported(rows: readonly Row[], options: ExportOptions, each?: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of exportOrthos(archiveOf(rows, each), options)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function fromParquet(bytes: Buffer): Promise<Row[]> {
  const file = new Uint8Array(bytes).buffer
  return (await parquetReadObjects({ file })) as unknown as Row[]
}

const row = (dims: number[], words: string[]): Row => ({ shape: dims.join('x'), dims, words })
const ROWS = [
  row([2, 2], ['the', 'cat', 'dog', 'ran']),
  row([2, 3], ['a', "o'b", 'é', '猫', 'שלום', '𝒳']),
  row([2, 2, 2], ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']),
]

const anyRows = fc.array(
  fc.array(fc.integer({ min: 2, max: 3 }), { minLength: 2, maxLength: 4 }).chain((dims) => {
    const cells = dims.reduce((a, b) => a * b)
    const word = fc.string({
      unit: fc.constantFrom('a', 'é', '猫', "'", 'ש', '𝒳'),
      minLength: 1,
      maxLength: 5,
    })
    return fc.array(word, { minLength: cells, maxLength: cells }).map((words) => row(dims, words))
  }),
  { maxLength: 12 },
)

test('jsonl and csv are lines', async (t) => {
  t.is(
    (await exported(ROWS.slice(0, 1), { format: 'jsonl' })).toString(),
    '{"shape":"2x2","dims":[2,2],"words":["the","cat","dog","ran"]}\n',
  )
  t.is((await exported(ROWS.slice(0, 1), { format: 'csv' })).toString(), 'shape,words\n2x2,the cat dog ran\n')
  t.is((await exported([], { format: 'csv' })).toString(), 'shape,words\n')
  t.is((await exported([], {})).toString(), '')
})

test('every format holds every ortho', async (t) => {
  await fc.assert(
    fc.asyncProperty(anyRows, fc.integer({ min: 1, max: 5 }), async (rows, each) => {
      const jsonl = (await exported(rows, { format: 'jsonl' }, each)).toString().split('\n').filter(Boolean)
      t.deepEqual(
        jsonl.map((line) => JSON.parse(line) as Row),
        rows,
      )
      t.deepEqual(await fromParquet(await exported(rows, { format: 'parquet' }, each)), rows)
    }),
    { numRuns: 60 },
  )
})

test('parquet has many row groups, and memory does not grow with them', async (t) => {
  const rows = Array.from({ length: 1000 }, () => ROWS[0] as Row)
  const archive = {
    async *text() {
      for (let i = 0; i < 260; i += 1) yield Buffer.from(rows.map(() => '2x2\tthe cat dog ran\n').join(''))
    },
  }
  let pieces = 0
  const chunks: Uint8Array[] = []
  let told = 0
  for await (const chunk of exportOrthos(archive, { format: 'parquet', onOrthos: (n) => (told = n) })) {
    pieces += 1
    chunks.push(chunk)
  }
  t.is(told, 260_000)
  t.is(pieces, 4, 'three row groups and the end')
  t.is((await fromParquet(Buffer.concat(chunks))).length, 260_000)
})

test('an unknown format is refused', async (t) => {
  await t.throwsAsync(() => exported([], { format: 'xlsx' as never }), { message: /jsonl, csv, parquet/ })
})

const python = ['duckdb', 'pandas', 'polars', 'pyarrow'].filter(
  (name) => spawnSync('python3', ['-c', `import ${name}`]).status === 0,
)

test('Python’s readers agree', async (t) => {
  const directory = temporary(t)
  const path = join(directory, 'a.parquet')
  writeFileSync(path, await exported(ROWS, { format: 'parquet' }))
  const expected = JSON.stringify(ROWS)
  const programs: Record<string, string> = {
    duckdb: `[dict(zip(("shape","dims","words"),r)) for r in duckdb.sql(f"select shape, dims, words from '{p}'").fetchall()]`,
    pandas: `[dict(shape=r["shape"],dims=[int(d) for d in r["dims"]],words=list(r["words"])) for r in pandas.read_parquet(p).to_dict("records")]`,
    polars: 'polars.read_parquet(p).to_dicts()',
    pyarrow: '__import__("pyarrow.parquet").parquet.read_table(p).to_pylist()',
  }
  t.log(
    python.length > 0
      ? `read by ${python.join(', ')}`
      : 'SKIPPED: none of duckdb, pandas, polars, pyarrow is there',
  )
  for (const name of python) {
    const code = `import json, sys, ${name}\np = sys.argv[1]\nprint(json.dumps(${programs[name]}))`
    const { stdout, stderr } = spawnSync('python3', ['-c', code, path], { encoding: 'utf8' })
    t.deepEqual(JSON.parse(stdout || 'null'), JSON.parse(expected), `${name}: ${stderr}`)
  }
  t.pass()
})

test('of a real archive, all formats hold what orthos lists, filtered as asked', async (t) => {
  const cwd = temporary(t)
  const { shapes } = await search({ text: manySquares(5), name: 'a' }, { out: join(cwd, 'a.bin') })
  const listed = foldWorker(['orthos', 'a.bin', '--json'], { cwd }).out
  t.true((shapes['2x2'] ?? 0) > 10)
  const whole = foldWorker(['export', 'a.bin'], { cwd })
  t.is(whole.code, 0, whole.err)
  t.is(whole.out.replaceAll(/"shape":"[^"]*",/g, ''), listed)
  const file = foldWorker(['export', 'a.bin', '--out', 'a.parquet', '--json'], { cwd })
  t.like(JSON.parse(file.out), {
    out: 'a.parquet',
    format: 'parquet',
    orthos: listed.trim().split('\n').length,
  })
  const parquet = await fromParquet(readFileSync(join(cwd, 'a.parquet')))
  t.deepEqual(
    parquet,
    whole.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row),
  )
  const few = foldWorker(
    ['export', 'a.bin', '--format', 'csv', '--shape', '2x2', '--limit', '3', '--word', 'PA'],
    { cwd },
  )
  t.regex(few.out, /^shape,words\n(2x2,.*\bpa\b.*\n){3}$/)
})

test('a file is written whole, and never over another unless told to', (t) => {
  const cwd = temporary(t)
  writeFileSync(join(cwd, 'a.txt'), 'a b. a c. b d. c d.')
  foldWorker(['search', 'a.txt'], { cwd })
  writeFileSync(join(cwd, 'a.csv'), 'mine')
  t.is(foldWorker(['export', 'a.bin', '--out', 'a.csv'], { cwd }).code, 7)
  t.is(readFileSync(join(cwd, 'a.csv'), 'utf8'), 'mine')
  const forced = foldWorker(['export', 'a.bin', '--out', 'a.csv', '--force'], { cwd })
  t.is(forced.code, 0, forced.err)
  t.is(readFileSync(join(cwd, 'a.csv'), 'utf8'), 'shape,words\n2x2,a c b d\n')
  t.is(foldWorker(['export', 'a.bin', '--format', 'xml'], { cwd }).code, 2)
  t.is(foldWorker(['export', 'none.bin', '--out', 'b.csv'], { cwd }).code, 3)
  t.false(existsSync(join(cwd, 'b.csv')))
  // A reader that has enough is no failure.
  t.is(shell(`cd ${cwd} && "$NODE" "$BIN" export a.bin | head -c 1`).code, 0)
})

test('what goes wrong while writing leaves nothing', async (t) => {
  const cwd = temporary(t)
  const archive = {
    summary: { orthoCount: 5, shapes: {} },
    async *text() {
      yield Buffer.from('2x2\ta b c d\n')
      throw Object.assign(new Error('pretended'), { code: 'EIO', syscall: 'read' })
    },
    close: () => undefined,
  }
  const it = world({ args: ['export', 'a.bin', '--out', join(cwd, 'a.csv')] })
  const code = await run(it, async () => ({ openArchive: async () => archive }) as never)
  t.is(code, 10)
  t.deepEqual(readdirSync(cwd), [])
})

test('Parquet is not written to a terminal', async (t) => {
  const it = world({ args: ['export', 'a.bin', '--format', 'parquet'], terminal: true })
  t.is(await run(it, async () => ({ openArchive }) as never), 2)
  t.is(it.out, '')
})
