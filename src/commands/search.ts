/** `fold-worker search`: every ortho of one text. */
import { Command, Option } from 'clipanion'
import { FoldError, throwIfAborted } from '../errors.js'
import { inputName } from '../input.js'
import { describeSearch } from '../report/summary.js'
import type { SearchInput } from '../search.js'
import { describeLimitList } from '../report/limits.js'
import { isFinished, type Goal } from '../manifest.js'
import { adviceBefore } from './advice.js'
import { howToContinue } from './continue.js'
import { LimitedCommand } from './limited.js'
import { workProgress } from './progress.js'
import {
  GOAL_HELP,
  MEMORY_HELP,
  THREADS_HELP,
  TOP_HELP,
  countOption,
  goalOption,
  memoryOption,
  shardOption,
} from './options.js'
import { readStandardInput } from './standard-input.js'

export class SearchCommand extends LimitedCommand {
  static override paths = [['search']]
  static override usage = Command.Usage({
    description: 'find every ortho of one text',
    details: `
      Reads a UTF-8 text (\`-\` for standard input), finds every ortho and writes them to an archive directory,
      which appears whole or not at all. An existing one is never overwritten. Ctrl-C stops the search and leaves
      nothing behind. A search that was killed goes on where it stood when the same command is given again.

      A search that reaches a limit keeps what it has found, says so, and ends with exit code 18; \`--continue\` takes
      it up again from its archive. \`--shard i/n\` searches one of n parts of the text, for as many machines;
      \`merge\` puts them together.

      \`--goal optimal\` finds only the optimal ortho, or with \`--top K\` the K best, without listing the others, and
      proves that there is none better: for texts of which no disk holds all orthos. See docs/optimal.md.

      A large text without limits is estimated first; if its orthos will not fit on the disk, that is said before the
      search begins.
    `,
    examples: [
      ['Search a chapter; the archive is ./chapter.bin', '$0 search chapter.txt'],
      [
        'Say where the archive goes and what it may take',
        '$0 search a.txt --out a.bin --memory 256M --threads 2',
      ],
      ['At most an hour and 10 GiB of disk', '$0 search book.txt --max-time 1h --max-disk 10G'],
      ['Go on from there', '$0 search --continue book.bin --out more.bin --max-time 8h'],
      ['One of four parts', '$0 search book.txt --shard 1/4'],
      ['The ten best of a whole book', '$0 search book.txt --goal optimal --top 10'],
      ['Search standard input, for a script', 'cat *.txt | $0 search - --out all.bin --json'],
    ],
  })

  file = Option.String({ required: false, name: 'FILE' })
  out = Option.String('--out', {
    description: 'Archive directory to write (default: the name of the text with .bin for .txt, here)',
  })
  memory = Option.String('--memory', { description: MEMORY_HELP })
  threads = Option.String('--threads', { description: THREADS_HELP })
  shard = Option.String('--shard', { description: 'Search only part i of n, such as 1/4' })
  continueFrom = Option.String('--continue', {
    description:
      'An archive of the same text, or of a merge, that a limit ended: search only what it lacks, and add what it has',
  })
  goal = Option.String('--goal', { description: GOAL_HELP })
  top = Option.String('--top', { description: TOP_HELP })
  noEstimate = Option.Boolean('--no-estimate', false, {
    description: 'Do not estimate first whether all orthos of a large text would fit on the disk',
  })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object instead of text' })
  quiet = Option.Boolean('--quiet', false, { description: 'Show no progress' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects, library } = this.context
    const memory = memoryOption(this.memory)
    const threads = countOption('--threads', this.threads, 1)
    const limits = this.limits()
    const shard = shardOption(this.shard)
    const goal = goalOption(this.goal, this.top)
    const continued = this.#continued()
    const { file } = this
    if (file === undefined && !continued.continueFrom) {
      throw new FoldError('INVALID_ARGUMENT', 'give a text to search, or --continue with an archive')
    }
    const out = this.out ?? (file === undefined ? '' : defaultOut(file, shard, goal.goal))
    if (out === '') throw new FoldError('INVALID_ARGUMENT', '--out must name a directory')

    const input = file === undefined ? undefined : await this.#input(file, signal)
    const { search, estimate } = await library()
    const isLimited = Object.keys({ ...limits, ...continued, ...goal }).length > 0 || shard !== undefined
    if (
      !isLimited &&
      !this.noEstimate &&
      effects.env['FOLD_ESTIMATE'] !== '0' &&
      file !== undefined &&
      file !== '-'
    ) {
      const asked = { file, out, memory, threads, signal }
      for (const line of await adviceBefore(asked, effects, { estimate }))
        await effects.stderr.write(`${line}\n`)
      throwIfAborted(signal)
    }
    const progress = await workProgress(effects, {
      quiet: this.quiet,
      json: this.json,
      memory,
      maxDisk: limits.maxDisk,
      title: file === undefined ? continued.continueFrom : inputName(file),
    })
    const started = effects.now()
    try {
      const onProgress = progress.enabled ? progress.show : undefined
      const part = { ...limits, ...(shard && { shard }), ...continued, ...goal }
      const summary = await search(input, { out, memory, threads, signal, onProgress, ...part })
      progress.end()
      if (this.json) await this.printJson(summary)
      else
        for (const line of await describeSearch(summary, (effects.now() - started) / 1000))
          await this.print(line)
      if (!isFinished(summary)) {
        const { limits: reached, archive } = summary
        const why =
          reached.length > 0 ? `stopped ${describeLimitList(reached)}` : 'not everything was searched'
        const same = summary.goal === 'optimal' ? ' --goal optimal' : ''
        const time = reached.some(({ name }) => name === 'effort') ? ' --max-time 2h' : ''
        const next = howToContinue(archive, same + time)
        throw new FoldError('LIMIT_REACHED', `${why}; what was found is in ${archive}. To go on: ${next}`)
      }
    } finally {
      progress.end()
    }
    return 0
  }

  async #input(file: string, signal: AbortSignal): Promise<SearchInput> {
    if (file !== '-') return { path: file }
    return { text: await readStandardInput(this.context.effects.stdin, signal), name: 'stdin' }
  }

  #continued(): { continueFrom?: string } {
    if (this.continueFrom === '') throw new FoldError('INVALID_ARGUMENT', '--continue must name an archive')
    return this.continueFrom === undefined ? {} : { continueFrom: this.continueFrom }
  }
}

/** Where the archive of an input goes when nothing is said: in the current directory, under the input's name. */
export function defaultOut(file: string, shard?: { index: number; count: number }, goal?: Goal): string {
  const part = shard ? `.shard-${shard.index}-of-${shard.count}` : goal === 'optimal' ? '.optimal' : ''
  return `${file === '-' ? 'stdin' : inputName(file)}${part}.bin`
}
