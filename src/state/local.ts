/** Takes every waiting text of a state directory to its archive, one after the other. */
import { throwIfAborted, toFoldError, type FoldError } from '../errors.js'
import { inputName } from '../input.js'
import type { ArchiveSummary } from '../manifest.js'
import type { SearchInput } from '../search.js'
import type { StateDirectory } from './directory.js'

/** What happens during a run, in order. */
export type LocalEvent =
  | { kind: 'empty'; input: string }
  | { kind: 'started'; name: string; index: number; total: number }
  | { kind: 'done'; name: string; summary: ArchiveSummary }
  | { kind: 'failed'; name: string; error: FoldError }
  /** Something of this name is in `in_process/`, so the text is not touched. */
  | { kind: 'held'; name: string; work: string }

export interface LocalOptions {
  /** Searches the text at the path and writes the archive. */
  search: (source: SearchInput, out: string) => Promise<ArchiveSummary>
  onEvent: (event: LocalEvent) => Promise<void>
  signal?: AbortSignal | undefined
}

/** How many texts ended well and how many did not. */
export interface LocalOutcome {
  done: number
  failed: number
}

/** Rejects only if the run as a whole cannot go on: no state directory, or stopped by the signal. */
export async function runLocal(state: StateDirectory, options: LocalOptions): Promise<LocalOutcome> {
  const { onEvent, signal } = options
  await state.prepare()
  const names = await state.waiting()
  if (names.length === 0) await onEvent({ kind: 'empty', input: state.input })
  const outcome: LocalOutcome = { done: 0, failed: 0 }
  for (const [index, name] of names.entries()) {
    throwIfAborted(signal)
    let result: ArchiveSummary | FoldError | 'passed over'
    try {
      result = await takeOne(state, options, name, { index, total: names.length })
    } catch (error) {
      throwIfAborted(signal)
      result = toFoldError(error)
    }
    if (result === 'passed over') continue
    if (result instanceof Error) {
      outcome.failed += 1
      await onEvent({ kind: 'failed', name, error: result })
    } else {
      outcome.done += 1
      await onEvent({ kind: 'done', name, summary: result })
    }
  }
  return outcome
}

/** One text from `input/` to its archive; back to where it was if that fails. */
async function takeOne(
  state: StateDirectory,
  { search, onEvent }: LocalOptions,
  name: string,
  place: { index: number; total: number },
): Promise<ArchiveSummary | 'passed over'> {
  const claim = await state.claim(name)
  if (!claim) {
    if (await state.isHeld(name)) await onEvent({ kind: 'held', name, work: state.workOf(name) })
    return 'passed over'
  }
  try {
    await onEvent({ kind: 'started', name, ...place })
    const summary = await search({ path: claim.source, name: inputName(name) }, claim.archive)
    return { ...summary, archive: await state.finish(claim) }
  } catch (error) {
    await state.restore(claim)
    throw error
  }
}
