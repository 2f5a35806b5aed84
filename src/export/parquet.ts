/**
 * Orthos as a Parquet file, a row group at a time: memory is one row group and some dozen bytes for each of those
 * before. Values are compressed with Snappy, strings by dictionary where that pays.
 */
import type { Row } from './export.js'

/** A row group has at most so many orthos, */
const GROUP_ROWS = 100_000
/** and is closed once it has so many words. */
const GROUP_WORDS = 500_000

/** Every value is there, but for lists, which the format writes as groups of groups. */
const SCHEMA = [
  { name: 'schema', num_children: 3 },
  { name: 'shape', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  ...list('dims', { type: 'INT32' }),
  ...list('words', { type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
] as const

function list(name: string, element: object) {
  return [
    { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', ...element },
  ]
}

interface Group {
  shape: string[]
  dims: number[][]
  words: string[][]
  size: number
}

const EMPTY = (): Group => ({ shape: [], dims: [], words: [], size: 0 })

/** The file in pieces. */
export async function* parquetOf(rows: AsyncIterable<Row[]>): AsyncGenerator<Uint8Array, void, undefined> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer')
  const writer = new ByteWriter()
  const parquet = new ParquetWriter({ writer, schema: [...SCHEMA] as never, createdBy: 'fold-worker' })
  /** What has been written since the last time; the writer goes on counting where it is. */
  const taken = (): Uint8Array => {
    const bytes = new Uint8Array(writer.buffer, 0, writer.index).slice()
    writer.index = 0
    return bytes
  }
  const write = ({ size: _size, ...columns }: Group): Uint8Array => {
    const columnData = Object.entries(columns).map(([name, data]) => ({
      name,
      data: data as never,
      offsetIndex: false,
    }))
    void parquet.write({ columnData, rowGroupSize: GROUP_ROWS })
    return taken()
  }
  let group = EMPTY()
  let last = ''
  let dims: number[] = []
  for await (const some of rows) {
    for (const [shape, text] of some) {
      if (shape !== last) {
        last = shape
        dims = shape.split('x').map(Number)
      }
      const words = text.split(' ')
      group.shape.push(shape)
      group.dims.push(dims)
      group.words.push(words)
      group.size += words.length
      if (group.size < GROUP_WORDS && group.shape.length < GROUP_ROWS) continue
      yield write(group)
      group = EMPTY()
    }
  }
  if (group.shape.length > 0) yield write(group)
  void parquet.finish()
  yield taken()
}
