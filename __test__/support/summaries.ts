/** Summaries as a search gives them, for tests of what is made of them. */
import type { ArchiveSummary } from '../../src/manifest.js'

export function summary(changes: Partial<ArchiveSummary> = {}): ArchiveSummary {
  return {
    format: 'fold-archive',
    formatVersion: 1,
    program: 'fold-worker 0.1.0',
    input: { name: 'a.txt', sha256: '00', bytes: 2048 },
    orthoCount: 1234,
    shapes: { '2x2': 1200, '2x3': 30, '2x2x2': 4 },
    complete: true,
    limits: [],
    shards: [],
    optimal: { dims: [2, 3], volume: 2, fullness: 6, words: ['a', 'b', 'c', 'd', 'e', 'f'] },
    contentDigest: 'digest',
    lineage: '"a"',
    vocabulary: 299,
    bytes: 4096,
    files: {},
    search: { elapsedSeconds: 0.5, threads: 2, memory: 1e8 },
    archive: 'a.bin',
    ...changes,
  }
}

export const EMPTY = summary({ orthoCount: 0, shapes: {}, optimal: null })
