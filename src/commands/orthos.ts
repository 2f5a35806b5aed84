/** `fold-worker orthos`: lists the orthos of an archive. */
import { Command, Option } from 'clipanion'
import { parseShape } from '../shape.js'
import { FoldCommand } from './base.js'
import { countOption } from './options.js'

/** JSON lines are gathered to about so many characters before they are written. */
const CHUNK = 32 * 1024

export class OrthosCommand extends FoldCommand {
  static override paths = [['orthos']]
  static override usage = Command.Usage({
    description: 'list the orthos of an archive',
    details: `
      One line an ortho: its shape, a tab, and its words in cell order (by distance from the origin, then by
      coordinates), in the archive's own order, the same each time. With \`--json\`, one object a line.
    `,
    examples: [
      ['Everything', '$0 orthos chapter.bin'],
      ['The first ten of one shape', '$0 orthos chapter.bin --shape 2x3 --limit 10'],
      ['Those that hold a word, for a script', '$0 orthos chapter.bin --word whale --json'],
    ],
  })

  archive = Option.String()
  shape = Option.String('--shape', { description: 'Only orthos of this shape, such as 2x3' })
  word = Option.String('--word', { description: 'Only orthos that hold this word' })
  limit = Option.String('--limit', { description: 'At most so many' })
  json = Option.Boolean('--json', false, { description: 'Print one JSON object a line: dims and words' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const shape = this.shape === undefined ? undefined : parseShape(this.shape)
    const limit = countOption('--limit', this.limit, 0)
    const { stdout } = this.context.effects
    const { openArchive } = await this.context.library()
    const archive = await openArchive(this.archive)
    const filter = { shape, word: this.word?.normalize('NFC').toLowerCase(), limit, signal }
    try {
      if (!this.json) {
        for await (const chunk of archive.text(filter)) await stdout.write(chunk)
        return 0
      }
      let lines = ''
      for await (const ortho of archive.orthos(filter)) {
        lines += `${JSON.stringify(ortho)}\n`
        if (lines.length < CHUNK) continue
        await stdout.write(lines)
        lines = ''
      }
      await stdout.write(lines)
      return 0
    } finally {
      archive.close()
    }
  }
}
