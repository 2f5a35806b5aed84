/**
 * Local mode: takes every text of a state directory to its archive, and merges the archives until one is left. Any
 * number of these runs, in as many processes, share the work; {@link file://./directory.ts} keeps them apart.
 *
 * A run takes whatever comes first of: work that its owner left, a waiting text, archives to merge. It ends when
 * nothing waits that it could do and nobody works; until then it stays to take over what others leave.
 */
import type { Clock } from '../effects.js'
import { FoldError, throwIfAborted, toFoldError, type ErrorCode } from '../errors.js'
import { inputName } from '../input.js'
import { inputsOf, unite, type InputId } from '../merge/grouping.js'
import { chooseArchives, setApart, type Candidate, type SetApart } from '../merge/pairs.js'
import { isWhole, type ArchiveSummary } from '../manifest.js'
import type { SearchInput } from '../search.js'
import { ArchiveShelf } from './archives.js'
import { stemOf, type Left, type StateDirectory, type Survey, type Work } from './directory.js'
import { parseWorkName } from './names.js'
import { LostError, Watch, beatInterval, type Heart } from './heartbeat.js'

/** What happens during a run, in order. */
export type LocalEvent =
  | { kind: 'empty'; input: string }
  /** A text is begun; so many more wait. */
  | { kind: 'started'; name: string; waiting: number }
  | { kind: 'done'; name: string; summary: ArchiveSummary }
  | { kind: 'failed'; name: string; error: FoldError }
  /** Two archives are begun to be merged. */
  | { kind: 'merging'; names: string[]; complete: boolean }
  | { kind: 'merged'; names: string[]; summary: ArchiveSummary }
  /** Something in the state directory that the run does not touch. */
  | { kind: 'left'; path: string; why: string; error?: FoldError | undefined }
  | { kind: 'conflict'; name: string; archives: string[] }
  /** Work that somebody left was taken over. */
  | { kind: 'takenOver'; name: string }
  /** Work of this run was taken over by somebody else. */
  | { kind: 'lost'; name: string }
  /** Others work, and there is nothing to do meanwhile. */
  | { kind: 'waiting'; works: string[] }
  /** The end: what is in `input/`; `own` if this run did the last step. */
  | { kind: 'result'; archives: ArchiveSummary[]; own: boolean }

/** The operations on texts and archives that a run is made of. */
export interface LocalWork {
  /** Searches the text at the path and writes the archive. */
  search(source: SearchInput, out: string, signal: AbortSignal): Promise<ArchiveSummary>
  /** Merges archives. */
  merge(archives: string[], out: string, signal: AbortSignal): Promise<ArchiveSummary>
  /** Reads what an archive says about itself. */
  summarise(archive: string): Promise<ArchiveSummary>
  /** Checks an archive in all its parts; resolves to what is wrong with it. */
  check(archive: string, signal: AbortSignal): Promise<string | undefined>
}

export interface LocalOptions extends LocalWork {
  clock: Clock
  onEvent: (event: LocalEvent) => Promise<void>
  /** Milliseconds without a sign of life after which work is taken over. */
  staleAfter: number
  /** Whether archives are merged. */
  mergeAll: boolean
  signal?: AbortSignal | undefined
  /** Tells work that was left; by default from heartbeats. */
  watch?: Pick<Watch, 'stale'> | undefined
}

/** How it went. */
export interface LocalOutcome {
  /** Texts that this run took to an archive. */
  done: number
  /** Texts that failed. */
  failed: number
  /** Merges that this run made. */
  merged: number
  /** Archives that cannot be merged, and what is no text though it is called so. */
  left: number
  /** Names that stand for different texts. */
  conflicts: number
  /** Whether some archive that this run wrote was ended by a limit. */
  limited: boolean
}

const SHORTEST_WAIT = 100
const LONGEST_WAIT = 2000

/** Rejects only if the run as a whole cannot go on: no state directory, or stopped by the signal. */
export async function runLocal(state: StateDirectory, options: LocalOptions): Promise<LocalOutcome> {
  await state.prepare()
  return new LocalRun(state, options).toTheEnd()
}

class LocalRun {
  readonly #state: StateDirectory
  readonly #options: LocalOptions
  readonly #heart: Heart
  readonly #beat: number
  readonly #watch: Pick<Watch, 'stale'>
  readonly #shelf: ArchiveShelf
  readonly #outcome: LocalOutcome = {
    done: 0,
    failed: 0,
    merged: 0,
    left: 0,
    conflicts: 0,
    limited: false,
  }
  /** Texts that failed in this run, which does not try them again. */
  readonly #failed = new Set<string>()
  /** What was reported already. */
  readonly #told = new Set<string>()

  constructor(state: StateDirectory, options: LocalOptions) {
    this.#state = state
    this.#options = options
    this.#beat = beatInterval(options.staleAfter)
    this.#heart = state.heart(this.#beat)
    this.#watch = options.watch ?? state.watch(options.clock, options.staleAfter)
    this.#shelf = new ArchiveShelf(state, options.summarise)
  }

  async toTheEnd(): Promise<LocalOutcome> {
    const { clock, signal, onEvent } = this.#options
    let own = false
    let wait = SHORTEST_WAIT
    for (let first = true; ; first = false) {
      throwIfAborted(signal)
      const survey = await this.#survey()
      for (const left of survey.left) await this.#leave(left)
      if (first && survey.texts.length + survey.archives.length + survey.works.length === 0) {
        await onEvent({ kind: 'empty', input: this.#state.input })
        return this.#outcome
      }
      if (await this.#step(survey)) {
        own = true
        wait = SHORTEST_WAIT
        this.#told.delete(WAITING)
        continue
      }
      // A text of the same name as one that is worked on waits until that is done.
      if (survey.works.length === 0 && survey.texts.length === 0) {
        await onEvent({ kind: 'result', archives: await this.#shelf.all(survey.archives), own })
        return this.#outcome
      }
      own = false
      await this.#once(WAITING, { kind: 'waiting', works: survey.works })
      await clock.sleep(wait, signal)
      wait = Math.min(LONGEST_WAIT, 2 * wait, Math.max(SHORTEST_WAIT, this.#options.staleAfter / 4))
    }
  }

  /** What is where, less the texts that failed in this run and those whose place is not to be had. */
  async #survey(): Promise<Survey> {
    const survey = await this.#state.survey()
    const blocked = new Set(survey.left.map(({ path }) => path))
    const texts = survey.texts.filter(
      (name) => !this.#failed.has(name) && !blocked.has(this.#state.placeOf(name)),
    )
    const works = survey.works.filter((directory) => {
      const work = parseWorkName(directory)
      return work?.kind !== 'text' || !this.#failed.has(work.name)
    })
    return { ...survey, texts, works }
  }

  /** Does the first thing that can be done; resolves to whether there was one. */
  async #step(survey: Survey): Promise<boolean> {
    const stale = await this.#watch.stale(this.#state.inProcess, survey.works)
    for (const name of stale) {
      const work = await this.#state.takeOver(name, this.#heart)
      if (!work) continue
      await this.#carryOut(work, { kind: 'takenOver', name })
      return true
    }
    const { texts } = survey
    let took = false
    for (const [at, name] of texts.entries()) {
      throwIfAborted(this.#options.signal)
      took = (await this.#tryText(name, texts.length - at - 1)) || took
    }
    return took || (this.#options.mergeAll && texts.length === 0 && (await this.#tryMerge(survey)))
  }

  async #tryText(name: string, waiting: number): Promise<boolean> {
    let work: Work | undefined
    try {
      work = await this.#state.claimText(name, this.#heart)
    } catch (error) {
      await this.#fail(name, error)
      return true
    }
    if (!work) return false
    await this.#carryOut(work, { kind: 'started', name, waiting })
    return true
  }

  async #tryMerge(survey: Survey): Promise<boolean> {
    const candidates = await this.#candidates(survey.archives)
    const choice = chooseArchives(candidates, survey.works.length)
    if (!choice) return false
    const { first, partners, most } = choice
    const names = { first: first.name, partners: partners.map(({ name }) => name), most }
    const work = await this.#state.claimArchives(names, this.#heart)
    // If others were faster, there is less to choose from now, and perhaps something else to do.
    if (work) await this.#carryOut(work)
    return true
  }

  /** Archives that may be merged with each other. Reports the others. */
  async #candidates(names: readonly string[]): Promise<Candidate[]> {
    const candidates: Candidate[] = []
    for (const found of await this.#shelf.lookAll(names)) {
      if (found.kind === 'gone') continue
      if (found.kind === 'bad') await this.#leave({ path: found.path, why: found.error.message }, found.error)
      else candidates.push(found.candidate)
    }
    const newest = candidates.reduce((most, { summary }) => Math.max(most, summary.tokenizer), 0)
    const sameRules: Candidate[] = []
    for (const candidate of candidates) {
      const { tokenizer, archive } = candidate.summary
      if (tokenizer === newest) {
        sameRules.push(candidate)
        continue
      }
      const why = `it was cut into words by rules of version ${tokenizer}, others here by version ${newest}; search its text again`
      await this.#leave({ path: archive, why }, new FoldError('TOKENIZER_DIFFERS', why))
    }
    const { rest, apart } = setApart(sameRules)
    for (const conflict of apart) await this.#conflict(conflict)
    return rest
  }

  async #conflict({ name, archives }: SetApart): Promise<void> {
    const paths = archives.map(({ summary }) => summary.archive)
    const event: LocalEvent = { kind: 'conflict', name, archives: paths }
    if (await this.#once(`conflict ${name}`, event)) this.#outcome.conflicts += 1
  }

  async #leave({ path, why }: Left, error?: FoldError): Promise<void> {
    if (await this.#once(`left ${path}`, { kind: 'left', path, why, error })) this.#outcome.left += 1
  }

  /** Reports unless it has been; resolves to whether it was news. */
  async #once(key: string, event: LocalEvent): Promise<boolean> {
    if (this.#told.has(key)) return false
    this.#told.add(key)
    await this.#options.onEvent(event)
    return true
  }

  async #fail(name: string, error: unknown): Promise<void> {
    this.#failed.add(name)
    this.#outcome.failed += 1
    await this.#options.onEvent({ kind: 'failed', name, error: toFoldError(error) })
  }

  /** Brings a work to its end from wherever it is; back to where it waited if that fails. */
  async #carryOut(work: Work, event?: LocalEvent): Promise<void> {
    const { clock, signal, onEvent } = this.#options
    const stop = new AbortController()
    const pass = () => stop.abort(signal?.reason)
    signal?.addEventListener('abort', pass)
    if (signal?.aborted) pass()
    const rest = clock.every(this.#beat, () => {
      this.#heart.beat(work.directory).catch((error: unknown) => {
        if (error instanceof LostError) stop.abort(error)
      })
    })
    try {
      if (event) await onEvent(event)
      await (work.kind === 'text' ? this.#text(work, stop.signal) : this.#merge(work, stop.signal))
    } catch (error) {
      await this.#backOut(work, error)
    } finally {
      rest()
      signal?.removeEventListener('abort', pass)
    }
    throwIfAborted(signal)
  }

  async #backOut(work: Work, error: unknown): Promise<void> {
    const { signal, onEvent } = this.#options
    if (await this.#isLostOrBack(work, error)) await onEvent({ kind: 'lost', name: work.name })
    else if (signal?.aborted) return
    else if (work.kind === 'text') await this.#fail(work.name, error)
    else throw error
  }

  /** Puts the work back, unless somebody else has it; resolves to whether that is so. */
  async #isLostOrBack(work: Work, error: unknown): Promise<boolean> {
    try {
      if (error instanceof LostError || (await this.#state.isLost(work))) return true
      const { source, archives } = await this.#state.inside(work)
      // Otherwise the result is whole and only its last steps failed: whoever comes next goes on with them.
      await (source || archives ? this.#state.putBack(work) : this.#state.letGo(work))
      return false
    } catch (second) {
      // What cannot be put back stays where it is, and is taken over once it can.
      return second instanceof LostError
    }
  }

  async #text(work: Work, signal: AbortSignal): Promise<void> {
    const { search, onEvent } = this.#options
    const inside = await this.#state.inside(work)
    if (inside.source) {
      const out = this.#state.archiveOf(work)
      const whole = inside.archive && (await this.#isOf(work, out))
      if (inside.archive && !whole) await this.#state.dropArchive(work)
      if (!whole) {
        const source = { path: this.#state.sourceOf(work), name: inputName(work.name) }
        await search(source, out, signal)
      }
    } else if (!inside.archive) {
      // Its owner came no further than this, or all the way.
      await this.#state.tidy(work)
      return
    }
    const summary = await this.#finish(work, stemOf(work.name))
    this.#outcome.done += 1
    await onEvent({ kind: 'done', name: work.name, summary })
  }

  /** Whether the archive that was found with a text is the whole one of this very text. */
  async #isOf(work: Work, archive: string): Promise<boolean> {
    try {
      const { input } = await this.#options.summarise(archive)
      return input !== null && input.sha256 === (await this.#state.sha256OfSource(work))
    } catch {
      return false
    }
  }

  async #merge(work: Work, signal: AbortSignal): Promise<void> {
    const inside = await this.#state.inside(work)
    const paths = await this.#state.mergedBy(work)
    const names = paths.map((path) => path.split(/[/\\]/).at(-1) ?? path)
    if (inside.archives && !inside.archive) {
      const candidates = await this.#asCandidates(paths)
      // Somebody may have put something else there under the same name in between.
      if (!candidates || candidates.length < 2 || setApart(candidates).apart.length > 0) {
        await this.#state.putBack(work)
        return
      }
      const complete = candidates.every(({ summary }) => isWhole(summary))
      await this.#options.onEvent({ kind: 'merging', names, complete })
      try {
        await this.#options.merge(paths, this.#state.archiveOf(work), signal)
      } catch (error) {
        const failure = toFoldError(error)
        if (!FAULTS.has(failure.code) || (await this.#state.isLost(work))) throw error
        await this.#blame(paths, failure, signal)
        await this.#state.putBack(work)
        return
      }
    } else if (!inside.archive) {
      await this.#state.tidy(work)
      return
    }
    const { contentDigest } = await this.#options.summarise(this.#state.archiveOf(work))
    const summary = await this.#finish(work, `merged-${contentDigest.slice(0, 12)}`)
    this.#outcome.merged += 1
    await this.#options.onEvent({ kind: 'merged', names, summary })
  }

  async #asCandidates(paths: readonly string[]): Promise<Candidate[] | undefined> {
    const candidates: Candidate[] = []
    for (const path of paths) {
      const found = await this.#shelf.lookAt(path)
      if (found.kind !== 'good') return undefined
      candidates.push(found.candidate)
    }
    return candidates
  }

  /** Finds out which archive a merge failed for, and sets it apart for the rest of this run. */
  async #blame(paths: readonly string[], error: FoldError, signal: AbortSignal): Promise<void> {
    let found = false
    for (const path of error.code === 'DAMAGED' ? paths : []) {
      const problem = await this.#options.check(path, signal)
      if (problem === undefined) continue
      found = true
      await this.#shelf.setApart(path, new FoldError('DAMAGED', problem, { cause: error }))
    }
    if (found) return
    // Nothing is wrong with either alone: the two are not tried again, together or with others.
    for (const path of paths) {
      const why = `merging it failed: ${error.message}`
      await this.#shelf.setApart(path, new FoldError(error.code, why, { cause: error }))
    }
  }

  async #finish(work: Work, stem: string): Promise<ArchiveSummary> {
    const archive = this.#state.archiveOf(work)
    const summary = await this.#options.summarise(archive)
    const merged = await Promise.all(
      (await this.#state.mergedBy(work)).map(async (path): Promise<readonly InputId[]> => {
        const found = await this.#shelf.lookAt(path)
        return found.kind === 'good' ? found.candidate.inputs : []
      }),
    )
    const inputs = summary.input ? inputsOf(summary) : unite(merged)
    const path = await this.#state.finish(work, stem, inputs)
    if (summary.limits.length > 0) this.#outcome.limited = true
    return { ...summary, archive: path }
  }
}

/** Key of the event that others work, which is told once each time that it begins. */
const WAITING = 'waiting'

/** What can be wrong with an archive, rather than with the machine. */
const FAULTS: ReadonlySet<ErrorCode> = new Set([
  'DAMAGED',
  'NEWER_FORMAT',
  'NOT_AN_ARCHIVE',
  'TOKENIZER_DIFFERS',
  'INPUTS_CONFLICT',
])
