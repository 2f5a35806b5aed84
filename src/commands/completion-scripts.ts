/**
 * Completion scripts for shells, made of the command line's own definitions, so that they know what the program knows.
 */
import { EXPORT_FORMATS } from '../export/export.js'
import { MODES } from './modes.js'
import { optionsOf, type CommandDefinition } from './environment.js'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** A shell that there is a script for. */
export type Shell = (typeof SHELLS)[number]

export function isShell(text: string): text is Shell {
  return (SHELLS as readonly string[]).includes(text)
}

/** What values an option or argument can have; for all others a file is offered. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--format': EXPORT_FORMATS,
  '--mode': MODES,
  completion: SHELLS,
}

interface Known {
  /** Empty for the program without a command. */
  name: string
  description: string
  options: { name: string; description: string; value: boolean; values: readonly string[] | undefined }[]
  /** What its argument can be. */
  values: readonly string[] | undefined
}

/** The script for a shell. */
export function completionScript(shell: Shell, definitions: readonly CommandDefinition[]): string {
  const commands = definitions
    .map((definition): Known => {
      const { path, description = '' } = definition
      const name = path.split(' ').slice(1).join(' ')
      return {
        name,
        description: oneLine(description),
        values: VALUES[name],
        options: [
          ...optionsOf(definition).map((option) => ({
            name: option.name,
            description: oneLine(option.description),
            value: option.takesValue,
            values: VALUES[option.name],
          })),
          { name: '--help', description: 'Show help', value: false, values: undefined },
        ],
      }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return { bash, zsh, fish }[shell](commands)
}

/** Plain text, whatever is marked up in it. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/`/g, '').trim()
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function bash(commands: readonly Known[]): string {
  const names = commands.map(({ name }) => name).filter(Boolean)
  const cases = commands.flatMap(({ name, options, values }) => [
    ...options
      .filter((option) => option.value)
      .map((option) =>
        option.values
          ? `    ${quoted(`${name} ${option.name}`)}) words=${quoted(option.values.join(' '))} ;;`
          : `    ${quoted(`${name} ${option.name}`)}) return ;;`,
      ),
    ...(values ? [`    ${quoted(name)}\\ *) words=${quoted(values.join(' '))} ;;`] : []),
  ])
  const options = commands.map(
    (one) => `      ${quoted(one.name)}) words=${quoted(one.options.map(({ name }) => name).join(' '))} ;;`,
  )
  return `# bash completion for fold-worker
_fold_worker() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' words=''
  COMPREPLY=()
  if (( COMP_CWORD > 1 )); then
    case " ${names.join(' ')} " in *" \${COMP_WORDS[1]} "*) command=\${COMP_WORDS[1]} ;; esac
  fi
  case "$command $previous" in
${cases.join('\n')}
  esac
  if [[ -z $words && $current == -* ]]; then
    case $command in
${options.join('\n')}
    esac
  elif [[ -z $words ]] && (( COMP_CWORD == 1 )); then
    words=${quoted(names.join(' '))}
  fi
  [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _fold_worker fold-worker
`
}

function described(text: string): string {
  return text.replace(/[[\]\\:]/g, '\\$&')
}

function zsh(commands: readonly Known[]): string {
  const spec = ({ name, description, value, values }: Known['options'][number]) => {
    const argument = value ? (values ? `:value:(${values.join(' ')})` : ':value:_files') : ''
    return quoted(`${name}[${described(description)}]${argument}`)
  }
  const argumentsOf = ({ options, values }: Known) =>
    [...options.map(spec), quoted(values ? `*:value:(${values.join(' ')})` : '*:file:_files')].join(
      ' \\\n        ',
    )
  const named = commands.filter(({ name }) => name !== '')
  const list = named.map(({ name, description }) => `    ${quoted(`${name}:${described(description)}`)}`)
  const cases = named.map(
    (one) => `    ${quoted(one.name)})\n      _arguments -s \\\n        ${argumentsOf(one)} ;;`,
  )
  const whole = commands.find(({ name }) => name === '')
  return `#compdef fold-worker
# zsh completion for fold-worker
_fold_worker() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ \${words[2]} != -* ]]; then
    _describe command commands
    return
  fi
  case \${words[2]} in
${cases.join('\n')}
    *)
      _arguments -s \\
        ${whole ? argumentsOf(whole) : ''} ;;
  esac
}
if [[ \${funcstack[1]} == _fold-worker ]]; then _fold_worker "$@"; else compdef _fold_worker fold-worker; fi
`
}

function inQuotes(plain: string): string {
  return `'${plain.replace(/[\\']/g, '\\$&')}'`
}

function fish(commands: readonly Known[]): string {
  const named = commands.filter(({ name }) => name !== '')
  const lines = commands.flatMap(({ name, description, options, values }) => {
    const inside = name === '' ? '__fish_use_subcommand' : `"__fish_seen_subcommand_from ${name}"`
    return [
      ...(name === ''
        ? []
        : [`complete -c fold-worker -n __fish_use_subcommand -f -a ${name} -d ${inQuotes(description)}`]),
      ...(values ? [`complete -c fold-worker -n ${inside} -f -a ${inQuotes(values.join(' '))}`] : []),
      ...options.map((option) => {
        const value = option.values
          ? ` -x -a ${inQuotes(option.values.join(' '))}`
          : option.value
            ? ' -r'
            : ''
        return `complete -c fold-worker -n ${inside} -l ${option.name.slice(2)}${value} -d ${inQuotes(option.description)}`
      }),
    ]
  })
  return `# fish completion for fold-worker: ${named.map(({ name }) => name).join(', ')}\n${lines.join('\n')}\n`
}
