/** Completion scripts, in the shells that they are for. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { run } from '../../src/cli.js'
import { SHELLS } from '../../src/commands/completion-scripts.js'
import { temporary, world } from '../support/world.js'

async function script(shell: string): Promise<string> {
  const it = world({ args: ['completion', shell] })
  await run(it, () => Promise.reject(new Error('not to be loaded')))
  return it.out
}

/** What the shell offers for a line; undefined without the shell, which is said. */
type Offers = (t: ExecutionContext, line: string, pause: number) => Promise<string[] | undefined>

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0

function runs(t: ExecutionContext, shell: string, code: string, cwd: string): string[] {
  const { status, stdout, stderr } = spawnSync(shell, ['-c', code], {
    encoding: 'utf8',
    cwd,
    timeout: 60_000,
  })
  t.is(stderr, '')
  t.is(status, 0)
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
}

const OFFERS: Record<string, Offers> = {
  async bash(t, line) {
    const cwd = temporary(t)
    writeFileSync(join(cwd, 'c.bash'), await script('bash'))
    const words = line.split(' ').map((word) => `'${word}'`)
    return runs(
      t,
      'bash',
      `source c.bash; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _fold_worker; printf '%s\\n' "\${COMPREPLY[@]}"`,
      cwd,
    )
  },
  async fish(t, line) {
    const cwd = temporary(t)
    writeFileSync(join(cwd, 'c.fish'), await script('fish'))
    const offered = runs(t, 'fish', `source c.fish; complete -C '${line}'`, cwd)
    return offered.map((one) => one.split('\t')[0] ?? '')
  },
  async zsh(t, line, pause) {
    const cwd = temporary(t)
    writeFileSync(join(cwd, '_fold-worker'), await script('zsh'))
    // A shell of its own behind a pseudo-terminal, asked to list what it would complete.
    writeFileSync(
      join(cwd, 'ask.zsh'),
      `zmodload zsh/zpty
zpty z "TERM=vt100 zsh -f -i"
zpty -w z "PS1=''; fpath=(${cwd} \\$fpath); autoload -Uz compinit; compinit -u -d ${cwd}/dump; bindkey '^I' list-choices; LISTMAX=1000; stty columns 150 rows 500; print re''ady"
integer n=0
while zpty -r z reply; do [[ $reply == *ready* ]] && break; (( n++ > 500 )) && exit 3; done
zpty -w -n z $'${line}\\t'
# What is typed ahead would end the listing.
sleep ${pause}
zpty -w -n z $'\\x15'
zpty -w z "print do''ne"
n=0
while zpty -r z reply; do print -r -- "$reply"; [[ $reply == *done* ]] && break; (( n++ > 500 )) && exit 4; done
zpty -d z
`,
    )
    const lines = runs(t, 'zsh', 'source ./ask.zsh', cwd)
    // oxlint-disable-next-line no-control-regex -- what moves the cursor is what is to be taken out
    const shown = lines.join('\n').replace(/\u0000|\u001b\[[0-9;?]*[a-zA-Z]/g, '')
    const [, offered = ''] = shown.split(line.trimEnd())
    return offered.split(/\s+/)
  },
}

for (const shell of SHELLS) {
  test(`${shell} offers commands, options and values`, async (t) => {
    const offers = OFFERS[shell]
    if (!offers || !has(shell)) {
      t.log(`SKIPPED: no ${shell} here`)
      return t.pass()
    }
    const includes = async (line: string, wanted: string[], unwanted: string[]) => {
      // On a busy machine a shell takes its time to list.
      let found: string[] = []
      for (const pause of [1, 5, 20]) {
        found = (await offers(t, line, pause)) ?? []
        if (wanted.every((one) => found.includes(one))) break
      }
      for (const one of wanted) t.true(found.includes(one), `${line} -> ${one} in ${found.join(' ')}`)
      for (const one of unwanted) t.false(found.includes(one), `${line} -> no ${one}`)
    }
    await includes('fold-worker ', ['search', 'merge', 'report', 'export', 'doctor'], ['--memory'])
    await includes('fold-worker re', ['reap', 'report'], ['search'])
    await includes('fold-worker search --max', ['--max-orthos', '--max-time'], ['--memory'])
    await includes('fold-worker report --', ['--out', '--text', '--help'], ['--memory'])
    await includes('fold-worker export --format ', ['jsonl', 'csv', 'parquet'], ['--out'])
    await includes('fold-worker completion ', ['bash', 'zsh', 'fish'], ['search'])
    return undefined
  })
}

test('every command and option is in every script', async (t) => {
  const help = world({ args: ['--help'] })
  await run(help)
  const commands = [...help.out.matchAll(/fold-worker ([a-z]+)/g)].map(([, name]) => name ?? '')
  t.true(commands.length >= 10)
  for (const shell of SHELLS) {
    const text = await script(shell)
    for (const command of commands) {
      t.true(text.includes(command), `${shell}: ${command}`)
      const own = world({ args: [command, '--help'] })
      await run(own)
      const options = new Set([...own.out.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, name]) => name ?? ''))
      for (const option of options)
        t.true(text.includes(shell === 'fish' ? option.slice(2) : option), `${shell}: ${option}`)
    }
  }
})

test('another shell is refused with those that there are', async (t) => {
  const it = world({ args: ['completion', 'csh'] })
  t.is(await run(it), 2)
  t.regex(it.err, /bash, zsh, fish/)
})
