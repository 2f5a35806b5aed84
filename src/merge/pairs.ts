/**
 * Which archives of a state directory go together next.
 *
 * All processes choose by the same total order, and whoever loses the first to another looks again instead of taking
 * only later ones. So the last in the order is never held alone, and of processes that hold one archive each
 * at least one always finds a second: they cannot wait for each other.
 */
import { isWhole, type ArchiveSummary, type Goal } from '../manifest.js'
import { order, type InputId } from './grouping.js'

/** An archive that waits to be merged. */
export interface Candidate {
  /** Its name in `input/`. */
  name: string
  summary: ArchiveSummary
  inputs: readonly InputId[]
}

/** What to take first, and what may go with it, the best first. */
export interface Choice {
  first: Candidate
  partners: Candidate[]
  /** How many to take, 2 or more. */
  most: number
}

/** The most archives merged at once: each ortho is copied less often, but less is done in parallel. */
const MOST = 8

/** Archives that must not be merged, as they hold different texts under one name. */
export interface SetApart {
  /** Name of the text. */
  name: string
  archives: Candidate[]
}

/**
 * Takes out archives that contradict others: single texts whenever they do, as the other may be the fruit of many;
 * merged archives only when they contradict each other.
 */
export function setApart(candidates: readonly Candidate[]): { rest: Candidate[]; apart: SetApart[] } {
  const texts = new Map<string, Map<string, Candidate[]>>()
  for (const candidate of candidates) {
    for (const { name, sha256 } of candidate.inputs) {
      if (sha256 === undefined) continue
      const known = texts.get(name) ?? new Map<string, Candidate[]>()
      texts.set(name, known.set(sha256, [...(known.get(sha256) ?? []), candidate]))
    }
  }
  const apart: SetApart[] = []
  for (const [name, versions] of texts) {
    if (versions.size < 2) continue
    const merged = [...versions.values()].map((holders) => holders.filter(({ inputs }) => inputs.length > 1))
    const mergedDiffer = merged.filter((holders) => holders.length > 0).length > 1
    const archives = [...versions.values()].flat().filter(({ inputs }) => inputs.length === 1 || mergedDiffer)
    apart.push({ name, archives: archives.sort((a, b) => order(a.name, b.name)) })
  }
  const out = new Set(apart.flatMap(({ archives }) => archives))
  return { rest: candidates.filter((candidate) => !out.has(candidate)), apart }
}

/**
 * Archives of one text first, as shards must be united while it is known what they are shards of, and a complete one
 * makes the others superfluous; then complete ones, the smallest first; then, once nobody else works, whatever is left.
 * Two at a time, but more where there is enough for all who work.
 *
 * Archives of all orthos and archives of the best are never merged with each other: that would lose what the first hold.
 */
export function chooseArchives(candidates: readonly Candidate[], othersWork: number): Choice | undefined {
  const of = (goal: Goal) => candidates.filter(({ summary }) => summary.goal === goal)
  return chooseOfOneGoal(of('all'), othersWork) ?? chooseOfOneGoal(of('optimal'), othersWork)
}

function chooseOfOneGoal(candidates: readonly Candidate[], othersWork: number): Choice | undefined {
  const sorted = candidates.toSorted(bySize)
  const groups = new Map<string, Candidate[]>()
  for (const candidate of sorted) {
    const { input } = candidate.summary
    if (!input) continue
    const key = JSON.stringify([input.name, input.sha256])
    groups.set(key, [...(groups.get(key) ?? []), candidate])
  }
  const [, sameText] = [...groups].sort(([a], [b]) => order(a, b)).find(([, group]) => group.length > 1) ?? []
  const complete = sorted.filter(({ summary }) => isWhole(summary))
  const most = Math.max(2, Math.min(MOST, Math.floor(complete.length / (2 * (othersWork + 1)))))
  return choice(sameText, MOST) ?? choice(complete, most) ?? (othersWork > 0 ? undefined : choice(sorted, 2))
}

function choice(candidates: readonly Candidate[] | undefined, most: number): Choice | undefined {
  const [first, ...partners] = candidates ?? []
  return first && partners.length > 0 ? { first, partners, most } : undefined
}

function bySize(a: Candidate, b: Candidate): number {
  return (
    Number(isWhole(b.summary)) - Number(isWhole(a.summary)) ||
    a.summary.bytes - b.summary.bytes ||
    order(a.name, b.name)
  )
}
