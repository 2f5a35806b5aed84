/** What an archive says about itself. */

/** The greatest ortho of a text by (volume, fullness); of equals the first by shape, then by words. */
export interface Optimal {
  dims: number[]
  /** Product of the lengths less one. */
  volume: number
  /** Number of cells. */
  fullness: number
  /** Words in cell order: by coordinate sum, then lexicographically by coordinates. */
  words: string[]
}

/** Something that ended a search early. */
export interface Limit {
  name: 'maxOrthos' | 'maxTime' | 'maxDisk' | 'diskReserve' | 'maxDims' | 'stopped'
  /** What it was set to: orthos, seconds, bytes, bytes, dimensions, 0. */
  value: number
}

/** The manifest of an archive. */
export interface Manifest {
  format: 'fold-archive'
  formatVersion: number
  /** The program that wrote it, such as `fold-worker 0.1.0`. */
  program: string
  input: { name: string; sha256: string; bytes: number } | null
  orthoCount: number
  /** Number of orthos by shape, such as `{"2x2": 3644}`. */
  shapes: Record<string, number>
  /** Whether every ortho of the text is here. */
  complete: boolean
  /** What ended the search early, when something did. */
  limits: Limit[]
  /** The finished shards that it holds of its one input, such as `["3/8"]`; empty for whole texts and merges of several. */
  shards: string[]
  optimal: Optimal | null
  /** Equal for archives that hold the same phrases and orthos, whatever their history. */
  contentDigest: string
  /** The inputs that went into it, as an S-expression. */
  lineage: string
  /** Number of distinct words. */
  vocabulary: number
  /** Version of the rules that cut text into words. */
  tokenizer: number
  /** Bytes of all files together. */
  bytes: number
  files: Record<string, { bytes: number; sha256: string }>
  search: { elapsedSeconds: number; threads: number; memory: number } | null
}

/** A manifest with the place of its archive. */
export interface ArchiveSummary extends Manifest {
  /** Path of the archive directory. */
  archive: string
}

/** Whether nothing ended the work early: a whole text, or whole shards of one. */
export function isFinished({
  complete,
  shards,
  limits,
}: {
  complete: boolean
  shards: readonly unknown[]
  limits: readonly unknown[]
}): boolean {
  return complete || (shards.length > 0 && limits.length === 0)
}
