/**
 * Options from the environment: every option of every command has a variable, `FOLD_` and its name in capitals, such as
 * `FOLD_MAX_TIME` for `--max-time`. What the command line says counts more; an empty variable is none.
 *
 * They become arguments before the command line is read, so that no command can forget them, and what is wrong with
 * them is said as it is for arguments.
 */
import { FoldError } from '../errors.js'

/** Options whose variable was named before all options had one. */
const NAMED: Readonly<Record<string, string>> = { '--state-dir': 'LOCAL_STATE_DIR' }

/** A command as the command line's own definitions have it. */
export interface CommandDefinition {
  /** Such as `fold-worker search`. */
  path: string
  description?: string | undefined
  /** Such as `--memory #0`, or without a value `--quiet`; several names have commas between. */
  options: readonly { definition: string; description?: string | undefined }[]
}

/** An option of a command. */
export interface OptionDefinition {
  /** The long one. */
  name: string
  names: readonly string[]
  takesValue: boolean
  description: string
}

/** The options of a command. */
export function optionsOf({ options }: Pick<CommandDefinition, 'options'>): OptionDefinition[] {
  return options.map(({ definition, description = '' }) => {
    const [first = '', ...values] = definition.split(' ')
    const names = first.split(',')
    const name = names.reduce((a, b) => (b.length > a.length ? b : a))
    return { name, names, takesValue: values.length > 0, description }
  })
}

/** The variable of an option. */
export function variableOf(option: string): string {
  return NAMED[option] ?? `FOLD_${option.replace(/^--?/, '').replaceAll('-', '_').toUpperCase()}`
}

/** Whether a variable of this name may be one of an option. */
export function isVariable(name: string): boolean {
  return name.startsWith('FOLD_') || Object.values(NAMED).includes(name)
}

const ON = /^(?:1|true|yes|on)$/i
const OFF = /^(?:0|false|no|off)$/i

/** Arguments with those of the environment, and which option came from which variable. */
export interface Completed {
  args: string[]
  from: Map<string, string>
}

/** The arguments of a command, the first `path` of which name it, with what the environment adds. */
export function withEnvironment(
  args: readonly string[],
  path: number,
  options: readonly OptionDefinition[],
  env: Readonly<Record<string, string | undefined>>,
): Completed {
  const end = args.indexOf('--')
  const given = end < 0 ? args : args.slice(0, end)
  const added: string[] = []
  const from = new Map<string, string>()
  for (const option of options) {
    const { name, names } = option
    const variable = variableOf(name)
    const value = env[variable]
    if (value === undefined || value === '') continue
    if (given.some((arg) => names.some((one) => arg === one || arg.startsWith(`${one}=`)))) continue
    from.set(name, variable)
    if (option.takesValue) added.push(...listOf(value).map((one) => `${name}=${one}`))
    else if (ON.test(value)) added.push(name)
    else if (!OFF.test(value)) {
      throw new FoldError('INVALID_ARGUMENT', `${variable} must be 1 or 0, as ${name} is given or not`)
    }
  }
  return { args: [...args.slice(0, path), ...added, ...args.slice(path)], from }
}

/** One value, or those of a JSON list for an option that can be given several times. */
function listOf(value: string): string[] {
  if (!value.startsWith('[')) return [value]
  try {
    const list: unknown = JSON.parse(value)
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list
  } catch {
    // A value may begin with a bracket.
  }
  return [value]
}

/** The variables that a message about a wrong argument is about. */
export function blameVariables(message: string, from: ReadonlyMap<string, string>): string {
  const named = [...from].filter(([option]) => new RegExp(`${option}(?![\\w-])`).test(message))
  const blamed = named.length > 0 ? named : [...from]
  return blamed.map(([option, variable]) => `${option} comes from ${variable}`).join(', ')
}

/** The part of a command's help that names its variables. */
export function describeVariables(options: readonly OptionDefinition[]): string {
  const longest = Math.max(...options.map(({ name }) => name.length))
  const lines = options.map(({ name }) => `  ${name.padEnd(longest)}    ${variableOf(name)}`)
  return `\nVariables of the environment that stand for options that are not given:\n\n${lines.join('\n')}\n`
}
