/**
 * The orthos of an archive in formats that other programs read. Streamed: memory is a few MiB whatever the archive.
 *
 * - `jsonl`: an object a line, `{"shape":"2x3","dims":[2,3],"words":[...]}`.
 * - `csv`: the columns `shape` and `words`, words with a space between; a header line, lines end with LF.
 * - `parquet`: the columns `shape` (string), `dims` (list of int32) and `words` (list of strings).
 *
 * Words are in cell order, orthos in the archive's own order, the same each time.
 */
import type { Archive, OrthoFilter } from '../archive.js'
import { FoldError } from '../errors.js'
import { parquetOf } from './parquet.js'

/** The formats that there are. */
export const EXPORT_FORMATS = ['jsonl', 'csv', 'parquet'] as const

/** See {@link exportOrthos}. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Which orthos, and how. */
export interface ExportOptions extends OrthoFilter {
  /** Default: `jsonl`. */
  format?: ExportFormat | undefined
  /** Told now and then how many orthos are written. */
  onOrthos?: ((orthos: number) => void) | undefined
}

/** One ortho as the archive lists it: its shape and its words with a space between. */
export type Row = readonly [shape: string, words: string]

/** Whether the text names a format. */
export function isExportFormat(text: string): text is ExportFormat {
  return (EXPORT_FORMATS as readonly string[]).includes(text)
}

/**
 * The bytes of a file with the orthos of an archive.
 *
 * @example
 * ```ts
 * for await (const bytes of exportOrthos(archive, { format: 'csv' })) process.stdout.write(bytes)
 * ```
 */
export async function* exportOrthos(
  archive: Pick<Archive, 'text'>,
  { format = 'jsonl', onOrthos, ...filter }: ExportOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!isExportFormat(format)) {
    throw new FoldError('INVALID_ARGUMENT', `"${format}" is no format: one of ${EXPORT_FORMATS.join(', ')}`)
  }
  const rows = rowsOf(archive, filter, onOrthos)
  if (format === 'parquet') return yield* parquetOf(rows)
  const encoder = new TextEncoder()
  if (format === 'csv') yield encoder.encode('shape,words\n')
  const line = format === 'csv' ? csvLine : jsonLine()
  for await (const some of rows) yield encoder.encode(some.map(line).join(''))
}

/** The orthos, some hundreds at a time. */
async function* rowsOf(
  archive: Pick<Archive, 'text'>,
  filter: OrthoFilter,
  onOrthos: ((orthos: number) => void) | undefined,
): AsyncGenerator<Row[], void, undefined> {
  const decoder = new TextDecoder()
  let orthos = 0
  for await (const chunk of archive.text(filter)) {
    const lines = decoder.decode(chunk).split('\n')
    lines.pop()
    orthos += lines.length
    yield lines.map((line): Row => {
      const tab = line.indexOf('\t')
      return [line.slice(0, tab), line.slice(tab + 1)]
    })
    onOrthos?.(orthos)
  }
}

function jsonLine(): (row: Row) => string {
  let last = ''
  let start = ''
  return ([shape, words]) => {
    if (shape !== last) {
      last = shape
      start = `{"shape":${JSON.stringify(shape)},"dims":[${shape.replaceAll('x', ',')}],"words":`
    }
    return `${start}${JSON.stringify(words.split(' '))}}\n`
  }
}

function csvLine([shape, words]: Row): string {
  return `${csvField(shape)},${csvField(words)}\n`
}

/** As RFC 4180 quotes. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
