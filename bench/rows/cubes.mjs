import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bigrams } from '../lib/bigrams.mjs'
import { alternate, duration, median } from '../lib/measure.mjs'
import { cubesWithin } from '../lib/search.mjs'

// o is the origin, a < b < c the axes, ab, ac and bc the middle shell, and u the far corner: twelve bigrams, four of them to
// each face at the origin. One flat join of twelve takes DuckDB's optimizer minutes, so the faces come first.
const BY_FACES = `
  with face as materialized (
    select oa.x o, oa.y a, ob.y b, a_ab.y ab
    from e oa join e ob on ob.x = oa.x and ob.y > oa.y
    join e a_ab on a_ab.x = oa.y join e b_ab on b_ab.x = ob.y and b_ab.y = a_ab.y)
  select count(*)
  from face p join face q on q.o = p.o and q.a = p.a and q.b > p.b and q.ab <> p.ab
  join face r on r.o = p.o and r.a = p.b and r.b = q.b and r.ab <> p.ab and r.ab <> q.ab
  join e u on u.x = p.ab join e v on v.x = q.ab and v.y = u.y join e w on w.x = r.ab and w.y = u.y`

// How DuckDB is asked: as a user would, its optimizer choosing the order of the joins; and in the order written, which for
// this query is the best that could be found.
const WAYS = [
  { way: 'own join order', prepare: 'select 1', target: { atLeast: 100 } },
  { way: 'joins in the best order found', prepare: "set disabled_optimizers = 'join_order'" },
]

/** The 2x2x2 cubes alone, one thread each. */
export async function* cubes(tools) {
  const { DuckDBInstance } = await tools.dependency('@duckdb/node-api')
  for (const text of ['novel-16000', 'novel-32000']) {
    for (const { way, prepare, target } of WAYS) {
      const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
      const connection = await instance.connect()
      await connection.run(prepare)
      const csv = join(tools.scratch, `${text}.csv`)
      const pairs = bigrams(readFileSync(tools.text(text), 'utf8'))
      writeFileSync(csv, `x,y\n${pairs.map((pair) => pair.join(',')).join('\n')}\n`)
      await connection.run(`create table e as select x::integer x, y::integer y from read_csv('${csv}')`)
      const ask = async () => {
        const started = process.hrtime.bigint()
        const reader = await connection.runAndReadAll(BY_FACES)
        const seconds = Number(process.hrtime.bigint() - started) / 1e9
        const count = Number(reader.getRows()[0][0])
        if (count !== tools.expected(text, '2x2x2')) throw new Error(`${text}: DuckDB counts ${count} cubes`)
        return seconds
      }
      const [ours, theirs] = await alternate(tools.times(5, 3), () => cubesWithin(tools, text), ask)
      connection.closeSync()
      yield {
        what: `2x2x2 cubes of ${text}, 1 thread`,
        ours: duration(ours),
        theirs: `DuckDB, ${way}: ${duration(theirs)}`,
        ratio: median(theirs) / median(ours),
        target,
        note: 'counts equal; ours from the text, theirs from a loaded table of bigrams',
        seconds: ours,
        theirSeconds: theirs,
      }
    }
  }
}
