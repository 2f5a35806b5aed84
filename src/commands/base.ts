/** What all commands share: their context, stopping by signal, and errors as messages and exit codes. */
import { Command, type BaseContext } from 'clipanion'
import type { Effects, StopSignal } from '../effects.js'
import { FoldError, systemCode, toFoldError } from '../errors.js'
import { blameVariables } from './environment.js'
import type { openArchive } from '../archive.js'
import type { estimate } from '../estimate.js'
import type { search } from '../search.js'
import type { mergeArchives } from '../merge-archives.js'

/** The part of the library that commands use. */
export interface Library {
  search: typeof search
  estimate: typeof estimate
  openArchive: typeof openArchive
  mergeArchives: typeof mergeArchives
}

/** What a command is given. */
export interface CommandContext extends BaseContext {
  effects: Effects
  /** Loaded on first use: help must not need the addon. */
  library: () => Promise<Library>
  /** The options that come from the environment, with their variables. */
  variables?: ReadonlyMap<string, string>
}

/** A command that reports what it throws and stops on Ctrl-C. */
export abstract class FoldCommand extends Command<CommandContext> {
  /** Does the work; resolves to the exit code. */
  protected abstract perform(signal: AbortSignal): Promise<number>

  override async execute(): Promise<number> {
    const { effects } = this.context
    const stop = new AbortController()
    const release = effects.onStop((name) => {
      // The second time, the person does not want to wait for order.
      if (stop.signal.aborted) effects.exit(stopError(name).exitCode)
      else stop.abort(stopError(name))
    })
    try {
      return await this.perform(stop.signal)
    } catch (error) {
      // Whoever read our output has read enough, as `head` does: not a failure.
      if (systemCode(error) === 'EPIPE') return 0
      const failure = toFoldError(error)
      await effects.stderr.write(describe(failure) + this.#blame(failure)).catch(() => undefined)
      return failure.exitCode
    } finally {
      release()
    }
  }

  /** A wrong argument may be none: then the variable is named. */
  #blame({ code, message }: FoldError): string {
    const { variables } = this.context
    if (code !== 'INVALID_ARGUMENT' || !variables?.size) return ''
    return `  ${blameVariables(message, variables)}\n`
  }

  /** Writes one line to standard output. */
  protected print(line = ''): Promise<void> {
    return this.context.effects.stdout.write(`${line}\n`)
  }

  /** Writes one value as a line of JSON to standard output. */
  protected printJson(value: unknown): Promise<void> {
    return this.print(JSON.stringify(value))
  }
}

function stopError(signal: StopSignal): FoldError {
  return signal === 'SIGINT'
    ? new FoldError('CANCELLED', 'stopped; nothing was left half-written')
    : new FoldError('TERMINATED', 'stopped by SIGTERM; nothing was left half-written')
}

/** The error for people: one line, and one more for each cause that adds something. */
export function describe(error: FoldError): string {
  const lines = [`fold-worker: ${error.code}: ${error.message}`]
  let said = error.message
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (!said.includes(cause.message)) lines.push(`  because: ${cause.message}`)
    said = cause.message
  }
  return `${lines.join('\n')}\n`
}
