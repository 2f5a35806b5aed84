/** What came out of a search, in lines for people. */
import type { VerifyReport } from '../archive.js'
import { formatSize } from '../machine/size.js'
import { isWhole, type ArchiveSummary, type Manifest } from '../manifest.js'
import { formatShape } from '../shape.js'
import { drawOrtho } from './grid.js'
import { describeGaps } from './limits.js'
import { BRIEF, drawLineage } from './lineage.js'
import { formatCount, formatSeconds, plural, shapeTable } from './numbers.js'

/** The report after `search`: counts, the optimal ortho, time, place. */
export async function describeSearch(summary: ArchiveSummary, seconds: number): Promise<string[]> {
  if (summary.proof) return describeOptimum(summary, seconds)
  const rate =
    summary.orthoCount > 0 && seconds > 0 ? `, ${formatCount(summary.orthoCount / seconds)} a second` : ''
  return [
    ...(await describeFinds(summary)),
    '',
    `${plural(summary.orthoCount, 'ortho')} in ${formatSeconds(seconds)}${rate}`,
    ...describeGaps(summary),
    `archive: ${summary.archive} (${formatSize(summary.bytes)})`,
  ]
}

/** The report after a search for the optimum. */
async function describeOptimum(summary: ArchiveSummary, seconds: number): Promise<string[]> {
  return [
    ...(await describeFinds(summary)),
    '',
    ...describeProof(summary),
    `${plural(summary.orthoCount, 'ortho')} in ${formatSeconds(seconds)}`,
    `archive: ${summary.archive} (${formatSize(summary.bytes)})`,
  ]
}

/** What is proved, and what is not. */
function describeProof(manifest: Manifest): string[] {
  const { proof } = manifest
  if (!proof) return []
  const shapes = proof.excluded.map(({ shape }) => shape)
  const excluded =
    shapes.length > 0 ? [`excluded: no ortho of the text has one of these inside: ${shapes.join(', ')}`] : []
  return [
    ...(isWhole(manifest) ? ['proved: there is none better'] : []),
    ...excluded,
    ...describeGaps(manifest),
  ]
}

/** What `inspect` says; of a large lineage only the beginning unless `wholeLineage`. */
export async function describeArchive(
  summary: ArchiveSummary,
  { wholeLineage = false }: { wholeLineage?: boolean } = {},
): Promise<string[]> {
  const { input, search } = summary
  const rows: [string, string][] = [
    ['archive', `${summary.archive} (${formatSize(summary.bytes)}, format ${summary.formatVersion})`],
    ['written by', summary.program],
    ...(input ? ([['input', `${input.name} (${formatSize(input.bytes)})`]] as [string, string][]) : []),
    ['words', `${formatCount(summary.vocabulary)} distinct`],
    ...(summary.proof
      ? ([
          [
            'goal',
            `the ${summary.proof.top === 1 ? 'optimal ortho' : `${formatCount(summary.proof.top)} best orthos`}`,
          ],
        ] as [string, string][])
      : ([['complete', summary.complete ? 'yes' : 'no']] as [string, string][])),
    ...(summary.proof ? describeProof(summary) : describeGaps(summary)).map((line): [string, string] => [
      '',
      line,
    ]),
    ...(search ? ([['searched in', formatSeconds(search.elapsedSeconds)]] as [string, string][]) : []),
    ['content', summary.contentDigest],
  ]
  return [
    ...rows.map(([name, value]) => `${name.padEnd(12)}${value}`),
    '',
    ...drawLineage(summary.lineage, wholeLineage ? {} : BRIEF),
    '',
    ...(await describeFinds(summary)),
  ]
}

/** What `inspect --verify` adds. */
export function describeVerification({ files, orthos, problems }: VerifyReport): string[] {
  const checked = `${plural(files, 'file')} and ${plural(orthos, 'ortho')}`
  if (problems.length === 0) return ['', `verified: ${checked}, all in order`]
  return [
    '',
    `checked ${checked} and found ${plural(problems.length, 'problem')}:`,
    ...problems.map(({ file, message }) => `  ${file === null ? '' : `${file}: `}${message}`),
  ]
}

/** Counts by shape and the optimal ortho, or a sentence that there is none. */
export async function describeFinds(manifest: Manifest): Promise<string[]> {
  const { shapes, optimal, orthoCount, proof } = manifest
  if ((orthoCount === 0 || !optimal) && proof && !isWhole(manifest)) return ['No ortho was found by then.']
  if (orthoCount === 0 || !optimal) {
    return ['This text has no ortho: nowhere do four of its phrases of two words meet in a square.']
  }
  const { dims, volume, fullness, words } = optimal
  return [
    ...shapeTable(shapes),
    '',
    `${proof && !isWhole(manifest) ? 'best ortho so far' : 'optimal ortho'}: ${formatShape(dims)}, volume ${volume}, ${fullness} cells`,
    ...(await drawOrtho(dims, words)),
  ]
}
