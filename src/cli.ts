/**
 * The command line: which commands there are, and how an outcome becomes an exit code.
 *
 * Commands get the world and the library through their context, so that a test can replace either.
 */
import { Cli, type Definition } from 'clipanion'
import { describe, type CommandContext, type Library } from './commands/base.js'
import { CompletionCommand } from './commands/completion.js'
import { DoctorCommand } from './commands/doctor.js'
import {
  blameVariables,
  describeVariables,
  isVariable,
  optionsOf,
  withEnvironment,
} from './commands/environment.js'
import { EstimateCommand } from './commands/estimate.js'
import { ExportCommand } from './commands/export.js'
import { InspectCommand } from './commands/inspect.js'
import { ListCommand } from './commands/list.js'
import { LocalCommand } from './commands/local.js'
import { MergeCommand } from './commands/merge.js'
import { OrthosCommand } from './commands/orthos.js'
import { ReportCommand } from './commands/report.js'
import { ReapCommand } from './commands/reap.js'
import { SearchCommand } from './commands/search.js'
import { SpawnCommand } from './commands/spawn.js'
import { StageCommand } from './commands/stage.js'
import type { Effects } from './effects.js'
import { EXIT_CODES, toFoldError } from './errors.js'
import { version } from './version.js'

const COMMANDS = [
  LocalCommand,
  SearchCommand,
  EstimateCommand,
  MergeCommand,
  StageCommand,
  OrthosCommand,
  InspectCommand,
  ReportCommand,
  ExportCommand,
  ListCommand,
  SpawnCommand,
  ReapCommand,
  DoctorCommand,
  CompletionCommand,
]
const HELP = /^(--help|-h|help)$/
const HELP_OPTION = /^(--help|-h)$/
const HELP_ON_VARIABLES =
  'Every option can also be given by a variable: FOLD_ and its name, such as FOLD_MEMORY=512M for --memory 512M.\n'

/** Runs the command that the arguments name; resolves to the exit code and never rejects. */
export async function run(effects: Effects, library: () => Promise<Library> = realLibrary): Promise<number> {
  const { args } = effects
  const named = COMMANDS.find(({ paths }) =>
    paths.some(([first]) => first !== undefined && first === args[0]),
  )
  const unknown = named === undefined && isWord(args[0]) ? args[0] : undefined
  if (unknown !== undefined) {
    await effects.stderr.write(noSuchCommand(unknown))
    return EXIT_CODES.INVALID_ARGUMENT
  }
  const wantsHelp = args.some((arg) => HELP_OPTION.test(arg))
  // Setting up one command takes a millisecond or two, and a short text is searched in less than all of them take;
  // completion asks what commands there are.
  const alone = named !== undefined && named !== CompletionCommand && !wantsHelp
  const cli = commandLine(alone ? [named] : COMMANDS)
  if (args.length === 1 && HELP.test(args[0] ?? '')) {
    await effects.stdout.write(readable(cli.usage()) + HELP_ON_VARIABLES)
    return 0
  }
  const hasVariables = Object.keys(effects.env).some(isVariable)
  const options =
    wantsHelp || hasVariables
      ? optionsOf(commandLine([named ?? LocalCommand]).definitions()[0] ?? { options: [] })
      : []
  let completed
  try {
    const env = wantsHelp ? {} : effects.env
    completed = withEnvironment(args, named ? 1 : 0, options, env)
  } catch (error) {
    await effects.stderr.write(describe(toFoldError(error)))
    return EXIT_CODES.INVALID_ARGUMENT
  }
  const out: string[] = []
  // Clipanion itself writes only help, and that through the context's stream.
  const variables = completed.from
  const context = {
    effects,
    library,
    variables,
    stdout: { write: (text: string) => out.push(readable(text)) },
  }
  let command
  try {
    command = cli.process(completed.args, context as unknown as CommandContext)
  } catch (error) {
    await effects.stderr.write(usageMessage(error) + blame(variables))
    return EXIT_CODES.INVALID_ARGUMENT
  }
  const code = await cli.run(command, context as unknown as CommandContext)
  if (wantsHelp && out.length > 0 && options.length > 0) out.push(describeVariables(options))
  if (out.length > 0) await effects.stdout.write(out.join(''))
  return code
}

/** Whether this stands where a command's name does. Without a name the command is that of local mode, which takes options alone. */
function isWord(arg: string | undefined): arg is string {
  return arg !== undefined && !arg.startsWith('-') && !HELP.test(arg)
}

function noSuchCommand(name: string): string {
  const names = COMMANDS.flatMap(({ paths }) => paths.flatMap(([first]) => first ?? []))
  const quoted = JSON.stringify(name)
  return usageMessage(
    `there is no command ${quoted}; there are ${names.join(', ')} (if it is a text: fold-worker search ${quoted})`,
  )
}

function blame(variables: ReadonlyMap<string, string>): string {
  return variables.size > 0 ? `  ${blameVariables('', variables)}\n` : ''
}

/** What all commands say of themselves: names, options, examples. */
export function definitions(): Definition[] {
  return commandLine().definitions()
}

function commandLine(commands = COMMANDS): Cli<CommandContext> {
  const cli = new Cli<CommandContext>({
    binaryLabel: 'fold-worker: every ortho of a text',
    binaryName: 'fold-worker',
    binaryVersion: version(),
    enableColors: false,
  })
  for (const command of commands) cli.register(command)
  return cli
}

function usageMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return `fold-worker: INVALID_ARGUMENT: ${readable(text).trim()}\nSee fold-worker --help.\n`
}

/** Clipanion writes `#0` for the value of an option. */
function readable(text: string): string {
  return text.replace(/(--[a-z-]+) #0/g, '$1 VALUE')
}

function realLibrary(): Promise<Library> {
  return import('./index.js')
}
