/**
 * What a report shows, gathered from an archive and, if they are given, the texts that it was made of.
 *
 * Costs: the survey's bounded reading, one pass over each text, and memory in proportion to what is shown.
 */
import type { Archive, Survey } from '../../archive.js'
import type { Files, Machine } from '../../effects.js'
import { FoldError, throwIfAborted } from '../../errors.js'
import { inputName } from '../../input.js'
import { locatePhrases, type Contexts } from '../../interner.js'
import type { ArchiveSummary } from '../../manifest.js'
import { formatShape, linesOf } from '../../shape.js'
import type { TaskOptions } from '../../task.js'
import { pickLines, sha256Of } from './text-file.js'

/** What to make the report of. */
export interface ReportOptions extends TaskOptions {
  /** The texts that went into the archive, to show where in them its lines stand. */
  texts?: readonly string[] | undefined
  /** Orthos that are read at most, as in `Archive.survey`. */
  read?: number | undefined
}

/** A place of a phrase. */
export type Place =
  | { kind: 'line'; text: string; line: number; excerpt: string }
  | { kind: 'sentence'; words: string[]; before: number }

/** Where a phrase stands. */
export interface Occurrences {
  count: number
  places: Place[]
}

/** An ortho that is drawn. */
export interface Drawn {
  dims: number[]
  words: string[]
}

/** See the head of this module. */
export interface ReportData {
  summary: ArchiveSummary
  survey: Survey
  /** Names of the texts that were given. */
  texts: string[]
  /** By the words of the phrase with a space between. */
  occurrences: ReadonlyMap<string, Occurrences>
  /** Whether there were more phrases than are looked up. */
  phrasesCut: boolean
}

/** Orthos that are read: some seconds, the fewer where each is looked up in several texts. */
const MOST_READ = 100_000_000
const MOST_COMPARED = 20_000_000
/** Phrases that are looked up at most. */
const MOST_PHRASES = 1500
/** Cells of an ortho that is drawn at most. */
export const MOST_CELLS = 4096
/** Places that are shown of each phrase. */
const MOST_PLACES = 3

/** The orthos that a report draws: the optimal one, then the first of each other shape. */
export function drawnIn({ optimal }: ArchiveSummary, { shapes }: Survey): Drawn[] {
  const others = shapes.flatMap(({ dims, first }) =>
    first && !(optimal && formatShape(optimal.dims) === formatShape(dims)) ? [{ dims, words: first }] : [],
  )
  return optimal ? [optimal, ...others] : others
}

/** Whether an ortho is small enough to be drawn. */
export function isDrawable({ words }: Drawn): boolean {
  return words.length <= MOST_CELLS
}

/** Gathers it all. Texts that are not those of the archive are an error with code `TEXT_DIFFERS`. */
export async function gatherReport(
  machine: Pick<Machine, 'files'>,
  archive: Archive,
  { texts = [], read, ...task }: ReportOptions = {},
): Promise<ReportData> {
  const { summary } = archive
  for (const path of texts) await checkText(machine.files, summary, path)
  // One text has everything by itself.
  const compared = texts.length > 1 ? texts : []
  const most = read ?? (compared.length > 0 ? MOST_COMPARED : MOST_READ)
  const survey = await archive.survey({ ...task, read: most, texts: compared })
  throwIfAborted(task.signal)
  const phrases = new Map<string, string[]>()
  for (const ortho of drawnIn(summary, survey).filter(isDrawable)) {
    for (const { words } of linesOf(ortho.dims, ortho.words)) phrases.set(words.join(' '), words)
  }
  const wanted = [...phrases.values()].slice(0, MOST_PHRASES)
  const occurrences = new Map<string, Occurrences>()
  for (const path of texts) await locate(machine.files, path, wanted, occurrences)
  const rest = wanted.filter((words) => !occurrences.has(words.join(' ')))
  if (rest.length > 0) {
    const interner = await archive.interner()
    for (const words of rest) {
      throwIfAborted(task.signal)
      occurrences.set(words.join(' '), inSentences(await interner.contexts(words, { most: MOST_PLACES })))
    }
  }
  return {
    summary,
    survey,
    texts: texts.map(inputName),
    occurrences,
    phrasesCut: phrases.size > wanted.length,
  }
}

function inSentences({ count, places }: Contexts): Occurrences {
  return { count, places: places.map((place) => ({ kind: 'sentence', ...place })) }
}

async function locate(
  files: Files,
  path: string,
  phrases: string[][],
  occurrences: Map<string, Occurrences>,
): Promise<void> {
  const found = await locatePhrases(path, phrases, MOST_PLACES)
  // A phrase may go on in the lines after its first, one word a line at the worst.
  const wanted = new Set<number>()
  for (const [at, { lines }] of found.entries()) {
    for (const line of lines) for (let i = 0; i < (phrases[at]?.length ?? 0); i += 1) wanted.add(line + i)
  }
  const lines = await pickLines(files, path, wanted)
  const text = inputName(path)
  for (const [at, { count, lines: starts }] of found.entries()) {
    const words = phrases[at]
    if (count === 0 || !words) continue
    const key = words.join(' ')
    const known = occurrences.get(key) ?? { count: 0, places: [] }
    const room = MOST_PLACES - known.places.length
    const places = starts.slice(0, room).map((line): Place => {
      const near = words.map((_, i) => lines.get(line + i) ?? '').join('\n')
      return { kind: 'line', text, line, excerpt: near }
    })
    occurrences.set(key, { count: known.count + count, places: [...known.places, ...places] })
  }
}

/** An archive of one text knows the text's SHA-256; that of a merge has to believe what it is told. */
async function checkText(files: Files, { input, archive }: ArchiveSummary, path: string): Promise<void> {
  if (!input) return
  const found = await sha256Of(files, path)
  if (found === input.sha256) return
  throw new FoldError(
    'TEXT_DIFFERS',
    `${path} is not the text of ${archive}: its SHA-256 is ${found}, that of "${input.name}" was ${input.sha256}; ` +
      'name the file that was searched, or leave --text out',
  )
}
