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
  name: 'maxOrthos' | 'maxTime' | 'maxDisk' | 'diskReserve' | 'maxDims' | 'stopped' | 'memory' | 'effort'
  /** What it was set to: orthos, seconds, bytes, bytes, dimensions, 0, bytes, grids of 3x3. */
  value: number
}

/** What a search looks for: every ortho, or only the best ones. */
export type Goal = 'all' | 'optimal'

/** A shape that no ortho of the text has inside, and its volume. */
export interface Excluded {
  shape: string
  volume: number
}

/** Why there is no better ortho than those in an archive, and what is not known. */
export interface Proof {
  /** How many of the best were wanted. */
  top: number
  /** Shapes that no ortho of the text has inside, each with its volume: they exclude all volumes greater than that of the
   * optimal ortho, but for those from `open` on. */
  excluded: Excluded[]
  /** The smallest volume greater than that of the optimal ortho that is not excluded; null if all are. */
  open: number | null
  /** The greatest volume whose orthos were not all compared; null if all that matter were. */
  unranked: number | null
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
  goal: Goal
  /** Whether every ortho of the text is here. Never said of a search for the optimum: see `proof`. */
  complete: boolean
  /** What ended the search early, when something did. */
  limits: Limit[]
  /** The finished shards that it holds of its one input, such as `["3/8"]`; empty for whole texts and merges of several. */
  shards: string[]
  /** Only of a search for the optimum. */
  proof: Proof | null
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

/** What says whether an archive is whole, in its manifest or in what is known of it elsewhere. */
export interface Ending {
  complete: boolean
  shards: readonly unknown[]
  limits: readonly unknown[]
  proof?: Proof | null | undefined
  /** In place of a proof: how many of the best were wanted. */
  top?: number | undefined
}

/** How many of the best were wanted; undefined if all orthos were. */
export function topOf({ proof, top }: Pick<Ending, 'proof' | 'top'>): number | undefined {
  return proof?.top ?? top
}

/** Whether an archive answers its question for all of its text: it holds every ortho, or the best with a whole proof. */
export function isWhole(ending: Omit<Ending, 'shards'>): boolean {
  return ending.complete || (topOf(ending) !== undefined && ending.limits.length === 0)
}

/** Whether nothing ended the work early: a whole text, or whole shards of one. */
export function isFinished(ending: Ending): boolean {
  return isWhole(ending) || (ending.shards.length > 0 && ending.limits.length === 0)
}
