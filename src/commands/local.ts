/** `fold-worker` without a command: the texts of a state directory, one after the other. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import { ProgressDisplay } from '../report/progress.js'
import { describeLocal } from '../report/summary.js'
import { runLocal, type LocalEvent } from '../state/local.js'
import { StateDirectory } from '../state/directory.js'
import { FoldCommand, describe } from './base.js'
import { MEMORY_HELP, THREADS_HELP, countOption, memoryOption } from './options.js'

const MODES = ['local', 'cloud-worker']

export class LocalCommand extends FoldCommand {
  static override paths = [Command.Default]
  static override usage = Command.Usage({
    description: 'search every text that waits in a state directory',
    details: `
      Takes each \`*.txt\` in \`input/\` of the state directory, one after the other, to an archive \`NAME.bin\` in
      \`input/\`, and moves the text to \`done/\`. While it is worked on, a text is in \`in_process/\`. A text that
      fails goes back to \`input/\`, is reported, and the others go on. Nothing is ever overwritten: when a name is
      taken, the next free one is used, such as \`NAME-2.bin\`.

      \`--mode cloud-worker\` instead takes the inputs that \`$INPUT_FILE\` names from a bucket to archives in another. All
      that it does is said by the environment: see docs/cloud.md.

      The state directory is \`--state-dir\`, or else \`$LOCAL_STATE_DIR\`, or else \`./fold_state\`.
    `,
    examples: [
      ['Search what waits in ./fold_state/input', '$0'],
      ['The same, said in full', '$0 --mode local --state-dir ./fold_state'],
    ],
  })

  mode = Option.String('--mode', 'local', { description: `What to run as: ${MODES.join(' or ')}` })
  stateDir = Option.String('--state-dir', {
    description: 'State directory (default: $LOCAL_STATE_DIR or ./fold_state)',
  })
  memory = Option.String('--memory', { description: MEMORY_HELP })
  threads = Option.String('--threads', { description: THREADS_HELP })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object for each text' })
  quiet = Option.Boolean('--quiet', false, { description: 'Show no progress' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects, library } = this.context
    if (!MODES.includes(this.mode)) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        `--mode must be one of: ${MODES.join(', ')}; not "${this.mode}"`,
      )
    }
    if (this.mode === 'cloud-worker') {
      const { runWorker } = await import('../worker/worker.js')
      const { search } = await library()
      await runWorker({ effects, search, signal, stateDirectory: this.stateDir })
      return 0
    }
    const memory = memoryOption(this.memory)
    const threads = countOption('--threads', this.threads, 1)
    const path = this.stateDir ?? (effects.env['LOCAL_STATE_DIR'] || './fold_state')
    const state = new StateDirectory(path, effects.files)
    const { search } = await library()
    const progress = new ProgressDisplay(effects, { quiet: this.quiet })
    const onProgress = progress.enabled ? progress.show : undefined
    const outcome = await runLocal(state, {
      signal,
      search: (source, out) => search(source, { out, memory, threads, signal, onProgress }),
      onEvent: (event) => {
        progress.end()
        return this.#report(event)
      },
    })
    if (outcome.failed > 0) {
      throw new FoldError(
        'SOME_INPUTS_FAILED',
        `${outcome.failed} of ${outcome.failed + outcome.done} texts failed; they are in ${state.input} as before`,
      )
    }
    return 0
  }

  async #report(event: LocalEvent): Promise<void> {
    const { stderr } = this.context.effects
    if (event.kind === 'failed') await stderr.write(`${event.name}: ${describe(event.error)}`)
    else if (event.kind === 'held') {
      await stderr.write(`${event.name}: left alone, as ${event.work} is there from another run\n`)
    } else if (event.kind === 'done' && this.json) await this.printJson(event.summary)
    else if (!this.json) for (const line of await describeLocal(event)) await this.print(line)
  }
}
