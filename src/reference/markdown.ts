/** docs/reference.md, from what the code says of itself: commands and options, variables, exit codes and error codes. */
import type { Definition } from 'clipanion'
import { EXIT_CODES, type ErrorCode } from '../errors.js'
import { EXPLAINED } from './codes.js'
import { VARIABLES } from './variables.js'

const HEAD = `# Reference: commands, options, variables, exit codes

Made from the code by \`npm run docs:reference\`; do not edit it by hand. A test fails when it is out of date.
`

/** The page, for these commands. */
export function reference(commands: readonly Definition[]): string {
  const parts = [HEAD, '## Commands\n', ...commands.map(command), variables(), codes()]
  return `${parts.join('\n').trimEnd()}\n`
}

function command({ path, usage, description, details, examples = [], options }: Definition): string {
  const lines = [`### \`${path}\`\n`]
  if (description) lines.push(`${sentence(description)}\n`)
  lines.push('```text', usage.replace(/(--[a-z-]+) #0/g, '$1 VALUE'), '```', '')
  // Clipanion breaks lines after the space between words.
  if (details) lines.push(`${details.trim().replace(/ +$/gm, '')}\n`)
  if (options.length > 0) {
    const rows = options.map((one) => [`\`${one.definition.replace('#0', 'VALUE')}\``, one.description ?? ''])
    lines.push(table(['option', 'meaning'], rows))
  }
  if (examples.length > 0) {
    lines.push(
      table(
        ['example', ''],
        examples.map(([what, typed]) => [`\`${typed}\``, what]),
      ),
    )
  }
  return lines.join('\n')
}

function variables(): string {
  const rows = VARIABLES.map(({ name, means, without }) => [`\`${name}\``, means, without])
  return ['## Environment variables\n', table(['variable', 'meaning', 'without it'], rows)].join('\n')
}

function codes(): string {
  const all = Object.entries(EXIT_CODES) as [ErrorCode, number][]
  const rows = all
    .sort(([, a], [, b]) => a - b)
    .map(([code, exit]) => [String(exit), `\`${code}\``, EXPLAINED[code].means, EXPLAINED[code].remedy])
  return [
    '## Exit codes and error codes\n',
    'The command line exits with the number; messages on standard error begin with `fold-worker: CODE:`; errors of the library',
    'have the code as `error.code`. Both are stable.\n',
    table(
      ['exit', 'code', 'what it means', 'what to do'],
      [['0', '', 'done; also when a text has no ortho', ''], ...rows],
    ),
  ].join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n')
}

function line(cells: readonly string[]): string {
  return `| ${cells.map(cell).join(' | ')} |`
}

function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\|/g, '\\|').trim()
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}${trimmed.endsWith('.') ? '' : '.'}`
}
