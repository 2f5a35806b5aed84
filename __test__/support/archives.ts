/** Pretended archives: directories that hold a manifest and the texts that went into it, and operations on them. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FoldError, throwIfAborted } from '../../src/errors.js'
import type { ArchiveSummary } from '../../src/manifest.js'
import type { LocalWork } from '../../src/state/local.js'
import { summary } from './summaries.js'

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Writes an archive under a temporary name and renames it, as the core does. */
export function writeArchive(
  out: string,
  texts: string[],
  changes: Partial<ArchiveSummary> = {},
): ArchiveSummary {
  const sorted = [...new Set(texts)].sort()
  const manifest = summary({
    input: null,
    lineage: `(${sorted.map((text) => JSON.stringify(text)).join(' ')})`,
    contentDigest: sha256(sorted.join('\n')),
    orthoCount: sorted.length,
    bytes: sorted.join('').length,
    ...changes,
  })
  const json = JSON.stringify({ ...manifest, texts: sorted, made: Math.random() })
  const temporary = `${out.slice(0, out.lastIndexOf('/') + 1)}.${out.split('/').at(-1)}.tmp-${process.pid}-${sha256(json).slice(0, 16)}`
  mkdirSync(temporary)
  writeFileSync(join(temporary, 'manifest.json'), json)
  writeFileSync(join(temporary, 'SHA256SUMS'), `${sha256(json)}  manifest.json\n`)
  renameSync(temporary, out)
  return { ...manifest, archive: out }
}

export function readArchive(path: string): ArchiveSummary & { texts: string[] } {
  let json: string
  try {
    json = readFileSync(join(path, 'manifest.json'), 'utf8')
  } catch (cause) {
    throw new FoldError('NOT_AN_ARCHIVE', `${path} is no archive`, { cause })
  }
  const manifest = JSON.parse(json) as ArchiveSummary & { texts: string[] }
  if (manifest.formatVersion > 1) throw new FoldError('NEWER_FORMAT', `${path} is of format 999`)
  return { ...manifest, archive: path }
}

/** Operations that take no time and keep account of every text. */
export const pretended: LocalWork = {
  async search(source, out, signal) {
    if (!('path' in source)) throw new Error('local mode searches files')
    throwIfAborted(signal)
    const text = readFileSync(source.path, 'utf8')
    if (text.includes('bad')) throw new FoldError('INPUT_NOT_UTF8', `${source.name} is bad`)
    const input = { name: source.name ?? '', sha256: sha256(text), bytes: text.length }
    return writeArchive(out, [text], { input, lineage: JSON.stringify(input.name) })
  },
  async merge(archives, out, signal) {
    throwIfAborted(signal)
    const all = archives.map(readArchive)
    const damaged = all.find(({ texts }) => texts.includes('damaged'))
    if (damaged) throw new FoldError('DAMAGED', `${damaged.archive} is damaged`)
    return writeArchive(
      out,
      all.flatMap(({ texts }) => texts),
      { complete: all.every(({ complete }) => complete) },
    )
  },
  summarise: async (path) => readArchive(path),
  check: async (path) => (readArchive(path).texts.includes('damaged') ? 'results are cut short' : undefined),
}
