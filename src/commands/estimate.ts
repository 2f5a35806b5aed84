/** `fold-worker estimate`: what a search of a text would take. */
import { Command, Option } from 'clipanion'
import { describeEstimate } from '../report/forecast.js'
import type { SearchInput } from '../search.js'
import { FoldCommand } from './base.js'
import { MEMORY_HELP, THREADS_HELP, countOption, memoryOption } from './options.js'
import { readStandardInput } from './standard-input.js'

export class EstimateCommand extends FoldCommand {
  static override paths = [['estimate']]
  static override usage = Command.Usage({
    description: 'say what listing every ortho of a text would take',
    details: `
      Within seconds, whatever the text: how many orthos it has, in all and by shape, with a range that holds the true number in
      nine of ten cases; the size of the archive; the time on this machine, from a search of about a second; and
      the droplet that would do and its price. A text that is searched within that second is counted exactly.
    `,
    examples: [
      ['A book', '$0 estimate book.txt'],
      ['For a script', '$0 estimate book.txt --json'],
    ],
  })

  file = Option.String({ name: 'FILE' })
  memory = Option.String('--memory', { description: MEMORY_HELP })
  threads = Option.String('--threads', { description: THREADS_HELP })
  seed = Option.String('--seed', { description: 'What random choices are drawn from (default: 1)' })
  noProbe = Option.Boolean('--no-probe', false, { description: 'Do not measure the speed of this machine' })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object instead of text' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects, library } = this.context
    const memory = memoryOption(this.memory)
    const threads = countOption('--threads', this.threads, 1)
    const seed = countOption('--seed', this.seed, 0)
    const input: SearchInput =
      this.file === '-'
        ? { text: await readStandardInput(effects.stdin, signal), name: 'stdin' }
        : { path: this.file }
    const { estimate } = await library()
    const found = await estimate(input, { memory, threads, seed, probe: !this.noProbe, signal })
    if (this.json) await this.printJson(found)
    else for (const line of describeEstimate(found)) await this.print(line)
    return 0
  }
}
