/** The documentation: its commands run, its links lead somewhere. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import test from 'ava'

interface Block {
  page: string
  line: number
  kind: 'run' | 'clone' | 'not run'
  reason?: string
}
interface DocsCommands {
  pages(): string[]
  blocks(page: string): Block[]
  runPage(page: string): string[]
}

const url = pathToFileURL(resolve('scripts/lib/docs-commands.mjs')).href
const { pages, blocks, runPage } = (await import(url)) as DocsCommands

for (const page of pages()) {
  const kinds = blocks(page).map(({ kind }) => kind)
  if (kinds.includes('run')) {
    test(`the commands of ${page} run`, (t) => {
      t.deepEqual(runPage(page), [])
    })
  }
  test(`the links of ${page} lead to files that are there`, (t) => {
    const text = readFileSync(page, 'utf8').replace(/```[^]*?```/g, '')
    for (const [, target] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)) {
      t.true(existsSync(join(dirname(page), target ?? '')), target)
    }
    t.pass()
  })
}

test('what is not run says why, and is little', (t) => {
  const all = pages().flatMap(blocks)
  const not = all.filter(({ kind }) => kind === 'not run')
  for (const { page, line, reason } of not) t.log(`${page}:${line}: not run: ${reason ?? ''}`)
  t.log(`${all.length} blocks of commands, ${not.length} not run`)
  t.true(not.length * 2 < all.length)
})
