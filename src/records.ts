/** Byte records in one piece of memory, the form in which they cross to the addon and back. */

/** Records one after the other, with the length of each. */
export interface PackedRecords {
  bytes: Uint8Array
  lengths: Uint32Array
}

/** Copies the records into one piece. */
export function packRecords(records: readonly Uint8Array[]): PackedRecords {
  const lengths = Uint32Array.from(records, (record) => record.length)
  const bytes = new Uint8Array(lengths.reduce((a, b) => a + b, 0))
  let at = 0
  for (const record of records) {
    bytes.set(record, at)
    at += record.length
  }
  return { bytes, lengths }
}

/** The records of one piece, which they share: no bytes are copied. */
export function unpackRecords({ bytes, lengths }: PackedRecords): Uint8Array[] {
  let at = 0
  return Array.from(lengths, (length) => bytes.subarray(at, (at += length)))
}
