/** `fold-worker export`: the orthos of an archive for other programs. */
import { Command, Option } from 'clipanion'
import { FoldError } from '../errors.js'
import { EXPORT_FORMATS, exportOrthos, isExportFormat, type ExportFormat } from '../export/export.js'
import { formatSize } from '../machine/size.js'
import { writeWhole } from '../output-file.js'
import { plural } from '../report/numbers.js'
import { ProgressDisplay } from '../report/progress.js'
import { parseShape } from '../shape.js'
import { FoldCommand } from './base.js'
import { countOption } from './options.js'

export class ExportCommand extends FoldCommand {
  static override paths = [['export']]
  static override usage = Command.Usage({
    description: 'write the orthos of an archive for pandas, DuckDB, Polars and others',
    details: `
      Formats: \`jsonl\` (an object a line: shape, dims, words), \`csv\` (shape, words with a space between) and
      \`parquet\` (shape, dims and words as lists). Orthos come in the archive's own order, the same each time, words in
      cell order. Streamed, so that no size is too large.

      Without \`--out\` it goes to standard output. With it the file is there whole or not at all.
    `,
    examples: [
      ['For pandas, DuckDB or Polars', '$0 export chapter.bin --format parquet --out chapter.parquet'],
      ['One shape as a table', '$0 export chapter.bin --format csv --shape 2x3 --out chapter.csv'],
      ['To another program', '$0 export chapter.bin | gzip > chapter.jsonl.gz'],
    ],
  })

  archive = Option.String()
  format = Option.String('--format', {
    description: `${EXPORT_FORMATS.join(', ')} (default: what --out ends with, else jsonl)`,
  })
  out = Option.String('--out', { description: 'File to write (default: standard output)' })
  force = Option.Boolean('--force', false, { description: 'Replace the file if it is there' })
  shape = Option.String('--shape', { description: 'Only orthos of this shape, such as 2x3' })
  word = Option.String('--word', { description: 'Only orthos that hold this word' })
  limit = Option.String('--limit', { description: 'At most so many' })
  json = Option.Boolean('--json', false, {
    description: 'With --out: print one JSON object instead of text, and progress as JSON lines',
  })
  quiet = Option.Boolean('--quiet', false, { description: 'Show no progress' })

  protected async perform(signal: AbortSignal): Promise<number> {
    const { effects, library } = this.context
    const { stdout } = effects
    const { out } = this
    if (out === '') throw new FoldError('INVALID_ARGUMENT', '--out must name a file')
    const format = this.#format()
    const shape = this.shape === undefined ? undefined : parseShape(this.shape)
    const limit = countOption('--limit', this.limit, 0)
    const word = this.word?.normalize('NFC').toLowerCase()
    if (out === undefined && format === 'parquet' && stdout.isTerminal) {
      throw new FoldError('INVALID_ARGUMENT', 'Parquet is not for a terminal: name a file with --out')
    }
    const { openArchive } = await library()
    const archive = await openArchive(this.archive)
    const { shapes, orthoCount } = archive.summary
    const total = shape === undefined ? orthoCount : (shapes[shape.join('x')] ?? 0)
    const progress = new ProgressDisplay(effects, { quiet: this.quiet || out === undefined })
    const started = effects.now()
    let orthos = 0
    const chunks = exportOrthos(archive, {
      format,
      shape,
      word,
      limit,
      signal,
      onOrthos: (count) => {
        orthos = count
        const of = Math.min(total, limit ?? Infinity)
        progress.tell({ phase: 'export', share: of > 0 ? count / of : 1, orthos: count }, started)
      },
    })
    try {
      if (out === undefined) {
        for await (const chunk of chunks) await stdout.write(chunk)
        return 0
      }
      const bytes = await writeWhole(effects, out, chunks, { replace: this.force })
      progress.end()
      if (this.json) await this.printJson({ archive: this.archive, out, format, orthos, bytes })
      else await this.print(`${plural(orthos, 'ortho')} as ${format}: ${out} (${formatSize(bytes)})`)
      return 0
    } finally {
      progress.end()
      archive.close()
    }
  }

  #format(): ExportFormat {
    const given = this.format ?? EXPORT_FORMATS.find((name) => this.out?.toLowerCase().endsWith(`.${name}`))
    const format = (given ?? 'jsonl').toLowerCase()
    if (isExportFormat(format)) return format
    throw new FoldError(
      'INVALID_ARGUMENT',
      `--format must be one of: ${EXPORT_FORMATS.join(', ')}; not "${format}"`,
    )
  }
}
