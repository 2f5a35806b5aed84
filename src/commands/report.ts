/** `fold-worker report`: an archive as a page to look at. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import { formatSize } from '../machine/size.js'
import { writeWhole } from '../output-file.js'
import { ProgressDisplay } from '../report/progress.js'
import { FoldCommand } from './base.js'
import { countOption } from './options.js'

export class ReportCommand extends FoldCommand {
  static override paths = [['report']]
  static override usage = Command.Usage({
    description: 'make a page that shows what is in an archive',
    details: `
      One HTML file that needs nothing else: the optimal ortho and one of each shape as grids, counts by shape and
      origin, the most frequent words, where in the text each line stands, lineage, parameters and digests, and a
      sample that can be filtered by word and shape.

      The archive has the sentences of its text, not their places: with \`--text\`, once for each text that went into it,
      lines are named by their numbers, and for a merge it is told which orthos a text has by itself.

      Of a large archive only a part is read, spread evenly; the page says where its numbers are estimates. \`--read all\`
      reads everything.
    `,
    examples: [
      ['A report on a chapter', '$0 report chapter.bin --out chapter.html'],
      ['With the lines of its text', '$0 report chapter.bin --text chapter.txt --out chapter.html'],
      ['Exact counts of a large one', '$0 report book.bin --read all --out book.html'],
    ],
  })

  archive = Option.String()
  out = Option.String('--out', { required: true, description: 'HTML file to write' })
  text = Option.Array('--text', {
    description: 'A text that went into the archive; may be given several times',
  })
  read = Option.String('--read', {
    description: 'Orthos to read at most, or all (default: 100000000, or 20000000 with several texts)',
  })
  force = Option.Boolean('--force', false, { description: 'Replace the file if it is there' })
  json = Option.Boolean('--json', false, {
    description: 'Print one JSON object instead of text, and progress as JSON lines',
  })
  quiet = Option.Boolean('--quiet', false, { description: 'Show no progress' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects, library } = this.context
    const { out } = this
    if (out === '') throw new FoldError('INVALID_ARGUMENT', '--out must name a file')
    const read = this.read === 'all' ? Infinity : countOption('--read', this.read, 1)
    const texts = this.text ?? []
    const { openArchive } = await library()
    const { reportArchive } = await import('../report-archive.js')
    const archive = await openArchive(this.archive)
    const progress = new ProgressDisplay(effects, { quiet: this.quiet })
    try {
      const onProgress = progress.enabled ? progress.show : undefined
      const make = async function* () {
        yield await reportArchive(archive, { texts, read, signal, onProgress })
      }
      const bytes = await writeWhole(effects, out, make(), { replace: this.force })
      progress.end()
      if (this.json) await this.printJson({ archive: this.archive, out, bytes, texts })
      else await this.print(`report: ${out} (${formatSize(bytes)})`)
      return 0
    } finally {
      progress.end()
      archive.close()
    }
  }
}
