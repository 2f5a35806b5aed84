/** `fold-worker search`: every ortho of one text. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import { inputName } from '../input.js'
import { ProgressDisplay } from '../report/progress.js'
import { describeSearch } from '../report/summary.js'
import type { SearchInput } from '../search.js'
import { FoldCommand } from './base.js'
import { MEMORY_HELP, THREADS_HELP, countOption, memoryOption } from './options.js'
import { readStandardInput } from './standard-input.js'

export class SearchCommand extends FoldCommand {
  static override paths = [['search']]
  static override usage = Command.Usage({
    description: 'find every ortho of one text',
    details: `
      Reads a UTF-8 text (\`-\` for standard input), finds every ortho and writes them to an archive directory,
      which appears whole or not at all. An existing one is never overwritten. Ctrl-C stops the search and leaves
      nothing behind.
    `,
    examples: [
      ['Search a chapter; the archive is ./chapter.bin', '$0 search chapter.txt'],
      [
        'Say where the archive goes and what it may take',
        '$0 search a.txt --out a.bin --memory 256M --threads 2',
      ],
      ['Search standard input, for a script', 'cat *.txt | $0 search - --out all.bin --json'],
    ],
  })

  file = Option.String()
  out = Option.String('--out', {
    description: 'Archive directory to write (default: the name of the text with .bin for .txt, here)',
  })
  memory = Option.String('--memory', { description: MEMORY_HELP })
  threads = Option.String('--threads', { description: THREADS_HELP })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object instead of text' })
  quiet = Option.Boolean('--quiet', false, { description: 'Show no progress' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects, library } = this.context
    const memory = memoryOption(this.memory)
    const threads = countOption('--threads', this.threads, 1)
    const out = this.out ?? defaultOut(this.file)
    if (out === '') throw new FoldError('INVALID_ARGUMENT', '--out must name a directory')

    const input: SearchInput =
      this.file === '-'
        ? { text: await readStandardInput(effects.stdin, signal), name: 'stdin' }
        : { path: this.file }
    const { search } = await library()
    const progress = new ProgressDisplay(effects, { quiet: this.quiet })
    const started = effects.now()
    try {
      const onProgress = progress.enabled ? progress.show : undefined
      const summary = await search(input, { out, memory, threads, signal, onProgress })
      progress.end()
      if (this.json) await this.printJson(summary)
      else
        for (const line of await describeSearch(summary, (effects.now() - started) / 1000))
          await this.print(line)
    } finally {
      progress.end()
    }
    return 0
  }
}

/** Where the archive of an input goes when nothing is said: in the current directory, under the input's name. */
export function defaultOut(file: string): string {
  return `${file === '-' ? 'stdin' : inputName(file)}.bin`
}
