/** Summaries as a search gives them, for tests of what is made of them. */
import type { Estimate } from '../../src/estimate.js'
import type { ArchiveSummary } from '../../src/manifest.js'

export function summary(changes: Partial<ArchiveSummary> = {}): ArchiveSummary {
  return {
    format: 'fold-archive',
    formatVersion: 1,
    program: 'fold-worker 0.1.0',
    input: { name: 'a.txt', sha256: '00', bytes: 2048 },
    orthoCount: 1234,
    shapes: { '2x2': 1200, '2x3': 30, '2x2x2': 4 },
    goal: 'all',
    complete: true,
    limits: [],
    shards: [],
    proof: null,
    optimal: { dims: [2, 3], volume: 2, fullness: 6, words: ['a', 'b', 'c', 'd', 'e', 'f'] },
    contentDigest: 'digest',
    lineage: '"a"',
    vocabulary: 299,
    tokenizer: 1,
    bytes: 4096,
    files: {},
    search: { elapsedSeconds: 0.5, threads: 2, memory: 1e8 },
    archive: 'a.bin',
    ...changes,
  }
}

export const EMPTY = summary({ orthoCount: 0, shapes: {}, optimal: null })

/** The summary of a search for the optimum. */
export function optimum(changes: Partial<ArchiveSummary> = {}): ArchiveSummary {
  const excluded = [
    { shape: '2x4', volume: 3 },
    { shape: '3x3', volume: 4 },
  ]
  return summary({
    orthoCount: 1,
    shapes: { '2x3': 1 },
    goal: 'optimal',
    complete: false,
    proof: { top: 1, excluded, open: null, unranked: null },
    ...changes,
  })
}

const range = (likely: number) => ({ low: likely / 4, likely, high: likely * 4 })

/** An estimate of a text with more orthos than a disk holds. */
export function expected(changes: Partial<Estimate> = {}): Estimate {
  return {
    input: { name: 'a', sha256: '00', bytes: 1e6 },
    vocabulary: 9000,
    orthos: range(1e14),
    shapes: { '2x2': range(1e6), '2x3': range(1e5), '2x2x2': range(1e9), '2x2x2x2': range(1e14) },
    exact: false,
    atLeast: false,
    wide: true,
    bytes: range(2.4e14),
    bytesPerOrtho: 2.4,
    seconds: range(1e8),
    rate: 1e6,
    threads: 2,
    droplet: null,
    ...changes,
  }
}
