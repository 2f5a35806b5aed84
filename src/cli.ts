/**
 * The command line: which commands there are, and how an outcome becomes an exit code.
 *
 * Commands get the world and the library through their context, so that a test can replace either.
 */
import { Cli, type Definition } from 'clipanion'
import type { CommandContext, Library } from './commands/base.js'
import { ExportCommand } from './commands/export.js'
import { InspectCommand } from './commands/inspect.js'
import { ListCommand } from './commands/list.js'
import { LocalCommand } from './commands/local.js'
import { MergeCommand } from './commands/merge.js'
import { OrthosCommand } from './commands/orthos.js'
import { ReapCommand } from './commands/reap.js'
import { ReportCommand } from './commands/report.js'
import { SearchCommand } from './commands/search.js'
import { SpawnCommand } from './commands/spawn.js'
import { StageCommand } from './commands/stage.js'
import type { Effects } from './effects.js'
import { EXIT_CODES } from './errors.js'
import { version } from './version.js'

const COMMANDS = [
  LocalCommand,
  SearchCommand,
  MergeCommand,
  StageCommand,
  OrthosCommand,
  InspectCommand,
  ListCommand,
  SpawnCommand,
  ReapCommand,
  ReportCommand,
  ExportCommand,
]
const HELP = /^(--help|-h|help)$/

/** Runs the command that the arguments name; resolves to the exit code and never rejects. */
export async function run(effects: Effects, library: () => Promise<Library> = realLibrary): Promise<number> {
  const cli = commandLine()
  if (effects.args.length === 1 && HELP.test(effects.args[0] ?? '')) {
    await effects.stdout.write(readable(cli.usage()))
    return 0
  }
  const out: string[] = []
  // Clipanion itself writes only help, and that through the context's stream.
  const context = { effects, library, stdout: { write: (text: string) => out.push(readable(text)) } }
  let command
  try {
    command = cli.process([...effects.args], context as unknown as CommandContext)
  } catch (error) {
    await effects.stderr.write(usageMessage(error))
    return EXIT_CODES.INVALID_ARGUMENT
  }
  const code = await cli.run(command, context as unknown as CommandContext)
  if (out.length > 0) await effects.stdout.write(out.join(''))
  return code
}

/** What all commands say of themselves: names, options, examples. */
export function definitions(): Definition[] {
  return commandLine().definitions()
}

function commandLine(): Cli<CommandContext> {
  const cli = new Cli<CommandContext>({
    binaryLabel: 'fold-worker: every ortho of a text',
    binaryName: 'fold-worker',
    binaryVersion: version(),
    enableColors: false,
  })
  for (const command of COMMANDS) cli.register(command)
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
