/** `fold-worker` without a command: the texts of a state directory, shared with any number of other processes. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import { parseDuration } from '../machine/duration.js'
import { describeLocal, describeLocalNotice } from '../report/local.js'
import { plural } from '../report/numbers.js'
import { runLocal, type LocalEvent, type LocalOutcome } from '../state/local.js'
import { StateDirectory } from '../state/directory.js'
import { describe } from './base.js'
import { LimitedCommand } from './limited.js'
import { MODES } from './modes.js'
import { workProgress } from './progress.js'
import {
  GOAL_HELP,
  MEMORY_HELP,
  THREADS_HELP,
  TOP_HELP,
  countOption,
  goalOption,
  memoryOption,
} from './options.js'

const SHORTEST_STALE = 1

export class LocalCommand extends LimitedCommand {
  static override paths = [Command.Default]
  static override usage = Command.Usage({
    description: 'search every text that waits in a state directory, and merge the archives',
    details: `
      Takes each \`*.txt\` in \`input/\` of the state directory to an archive \`NAME.bin\` in \`input/\`, and moves the
      text to \`done/\`. When no text waits, the archives in \`input/\` are merged until one is left. While it is worked
      on, a text or archive is in \`in_process/\`. A text that fails goes back to \`input/\`, is reported, and the others
      go on. Nothing is ever overwritten: when a name is taken, the next free one is used, such as \`NAME-2.bin\`.

      Start as many processes on one state directory as you like, on one machine or on several that share its file
      system, at any time: they share the work. What a process leaves behind that was killed is taken over by another
      once it has given no sign of life for the time of \`--stale-after\`, and continued where it stood.

      Archives that local mode has made here are removed once they are part of a larger one; others are moved to
      \`done/\`. Archives that are damaged or of a newer format, and those that hold different texts under one name,
      stay in \`input/\` and are named.

      With \`--goal optimal\` each text is searched for its best orthos only, and such archives are merged with each other
      and never with others.

      \`--mode cloud-worker\` instead takes the inputs that \`$INPUT_FILE\` names from a bucket to archives in another. All
      that it does is said by the environment: see docs/cloud.md.

      The state directory is \`--state-dir\`, or else \`$LOCAL_STATE_DIR\`, or else \`./fold_state\`.
    `,
    examples: [
      ['Search and merge what waits in ./fold_state/input', '$0'],
      ['The same, said in full', '$0 --mode local --state-dir ./fold_state'],
      ['One archive for each text', '$0 --no-merge'],
    ],
  })

  mode = Option.String('--mode', 'local', { description: `What to run as: ${MODES.join(' or ')}` })
  stateDir = Option.String('--state-dir', {
    description: 'State directory (default: $LOCAL_STATE_DIR or ./fold_state)',
  })
  noMerge = Option.Boolean('--no-merge', false, {
    description: 'Keep one archive for each text instead of merging them',
  })
  staleAfter = Option.String('--stale-after', '10m', {
    description: 'Take over work that has given no sign of life for this time (default: 10m)',
  })
  goal = Option.String('--goal', { description: GOAL_HELP })
  top = Option.String('--top', { description: TOP_HELP })
  memory = Option.String('--memory', { description: MEMORY_HELP })
  threads = Option.String('--threads', { description: THREADS_HELP })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object for each archive written' })
  quiet = Option.Boolean('--quiet', false, { description: 'Show no progress' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects, library } = this.context
    if (!MODES.some((mode) => mode === this.mode)) {
      throw new FoldError(
        'INVALID_ARGUMENT',
        `--mode must be one of: ${MODES.join(', ')}; not "${this.mode}"`,
      )
    }
    const limits = this.limits()
    const goal = goalOption(this.goal, this.top)
    if (this.mode === 'cloud-worker') {
      const { runWorker } = await import('../worker/worker.js')
      const { search } = await library()
      await runWorker({ effects, search, signal, stateDirectory: this.stateDir })
      return 0
    }
    const memory = memoryOption(this.memory)
    const threads = countOption('--threads', this.threads, 1)
    const staleAfter = parseDuration(this.staleAfter)
    if (staleAfter < SHORTEST_STALE) {
      throw new FoldError('INVALID_ARGUMENT', `--stale-after must be at least ${SHORTEST_STALE}s`)
    }
    const path = this.stateDir ?? (effects.env['LOCAL_STATE_DIR'] || './fold_state')
    const state = new StateDirectory(path, effects)
    const { search, mergeArchives, openArchive } = await library()
    const { maxDisk } = limits
    const progress = await workProgress(effects, { quiet: this.quiet, json: this.json, memory, maxDisk })
    const onProgress = progress.enabled ? progress.show : undefined
    const outcome = await runLocal(state, {
      clock: effects,
      staleAfter: staleAfter * 1000,
      mergeAll: !this.noMerge,
      signal,
      search: (source, out, stop) =>
        search(source, { out, memory, threads, ...limits, ...goal, signal: stop, onProgress }),
      merge: (archives, out, stop) =>
        mergeArchives(archives, { out, memory, threads, ...limits, signal: stop, onProgress }),
      summarise: async (archive) => {
        const opened = await openArchive(archive)
        opened.close()
        return opened.summary
      },
      check: async (archive, stop) => {
        const opened = await openArchive(archive)
        try {
          const { problems } = await opened.verify({ signal: stop, onProgress })
          return problems[0]?.message
        } finally {
          opened.close()
        }
      },
      onEvent: (event) => {
        progress.end()
        if (event.kind === 'started') progress.title = event.name
        if (event.kind === 'merging') progress.title = event.names.join(', ')
        return this.#report(event)
      },
    }).finally(() => progress.end())
    return this.#conclude(outcome, state.input)
  }

  async #report(event: LocalEvent): Promise<void> {
    const { stderr } = this.context.effects
    const notice = describeLocalNotice(event)
    if (event.kind === 'failed') await stderr.write(`${event.name}: ${describe(event.error)}`)
    else if (notice !== undefined) await stderr.write(`${notice}\n`)
    else if (!this.json) for (const line of await describeLocal(event)) await this.print(line)
    else if (event.kind === 'done') await this.printJson({ event: 'searched', ...event.summary })
    else if (event.kind === 'merged')
      await this.printJson({ event: 'merged', from: event.names, ...event.summary })
    else if (event.kind === 'result') {
      const { archives, own } = event
      const [only] = archives
      const summary = archives.length === 1 ? only : { archives: archives.map(({ archive }) => archive) }
      await this.printJson({ event: 'result', last: own, ...summary })
    }
  }

  /** The gravest of what happened decides the exit code; all of it has been reported. */
  #conclude({ failed, done, left, conflicts, limited }: LocalOutcome, input: string): number {
    if (failed > 0) {
      const all = `${failed} of ${failed + done} texts failed`
      throw new FoldError(
        'SOME_INPUTS_FAILED',
        `${all}; those that could be put back are in ${input} as before`,
      )
    }
    if (left > 0) {
      throw new FoldError(
        'INPUTS_LEFT',
        `${plural(left, 'thing')} named above could not be used; all else is done`,
      )
    }
    if (conflicts > 0) {
      const names = `${plural(conflicts, 'name')} ${conflicts === 1 ? 'stands' : 'stand'}`
      throw new FoldError('INPUTS_CONFLICT', `${names} for different texts; those archives were not merged`)
    }
    if (limited) {
      throw new FoldError('LIMIT_REACHED', 'a limit ended some of the work; what was found by then is kept')
    }
    return 0
  }
}
