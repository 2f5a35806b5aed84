/* oxlint-disable no-console, unicorn/no-process-exit -- a script */
// Runs every command of the documentation, those that want a clone of the repository too: `npm run test:docs`. Takes minutes.
import { blocks, pages, runInClones, runPage } from './lib/docs-commands.mjs'

const all = pages()
const faults = all.flatMap(runPage)
const clones = runInClones()
for (const fault of [...faults, ...clones.faults]) console.error(fault)
const found = all.flatMap(blocks)
const count = (kind) => found.filter((block) => block.kind === kind).length
for (const { page, line, reason } of found) if (reason) console.log(`${page}:${line}: not run: ${reason}`)
const failed = faults.length + clones.faults.length
console.log(`${count('run') + clones.run - failed} passed, ${failed} failed, ${count('not run')} skipped`)
process.exit(failed > 0 ? 1 : 0)
