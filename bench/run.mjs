// Measures fold-worker against what its users would take instead, and prints one table.
//
//   node bench/run.mjs [--only NAME[,NAME]] [--quick] [--json]
//
// Names: search, cubes, threads, merge, optimal, estimate, seen, queue, startup, transfer. Every ratio is taken within this run. The baselines of `search` and
// all texts come from $FOLD_SHARED, by default the directory `shared` beside the repository.
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { machine } from './lib/machine.mjs'
import { markdown } from './lib/table.mjs'
import { Tools } from './lib/tools.mjs'
import { cubes } from './rows/cubes.mjs'
import { estimate } from './rows/estimate.mjs'
import { merge } from './rows/merge.mjs'
import { optimal } from './rows/optimal.mjs'
import { queue } from './rows/queue.mjs'
import { search } from './rows/search.mjs'
import { seen } from './rows/seen.mjs'
import { startup } from './rows/startup.mjs'
import { threads } from './rows/threads.mjs'
import { transfer } from './rows/transfer.mjs'

const ROWS = { startup, search, threads, cubes, merge, optimal, estimate, seen, queue, transfer }

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(ROWS).join(',') },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const names = options.only.split(',')
const unknown = names.filter((name) => !(name in ROWS))
if (unknown.length > 0) {
  process.stderr.write(
    `no such measurement: ${unknown.join(', ')}; there are ${Object.keys(ROWS).join(', ')}\n`,
  )
  process.exit(2)
}

const tools = new Tools({ quick: options.quick })
process.on('exit', () => rmSync(tools.scratch, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))

const rows = []
for (const [name, measure] of Object.entries(ROWS).filter((entry) => names.includes(entry[0]))) {
  process.stderr.write(`${name} ...\n`)
  try {
    for await (const row of measure(tools)) {
      rows.push({ bench: name, ...row })
      process.stderr.write(`  ${row.what}: ${row.ours ?? ''} / ${row.theirs ?? ''} ${row.note ?? ''}\n`)
    }
  } catch (error) {
    rows.push({ bench: name, what: name, note: `not measured: ${error.message}` })
    process.exitCode = 1
  }
}
const on = machine()
process.stdout.write(
  options.json ? `${JSON.stringify({ machine: on, rows })}\n` : `${on}\n\n${markdown(rows)}`,
)
