/** The search of one text, as a library function. */
import type { NativeSearchRequest } from './addon.js'
import { machine } from './effects.js'
import { coreMemory, defaultMemory } from './machine/memory.js'
import type { ArchiveSummary, Manifest } from './manifest.js'
import { inputName } from './input.js'
import { checkInteger, runTask, type TaskOptions } from './task.js'

/** The text to search: a file, or the text itself; `name` is what the archive calls it (by default that of the
 * file, less `.txt`). */
export type SearchInput =
  { path: string; name?: string | undefined } | { text: string | Uint8Array; name: string }

/** Options of {@link search}. */
export interface SearchOptions extends TaskOptions {
  /** The archive directory to write, by convention `NAME.bin`. It must not exist yet. */
  out: string
  /** Bytes of memory that the whole process may take. Default: half of what the machine or its control group grants. */
  memory?: number | undefined
  /** Number of threads. Default: one for each processor. */
  threads?: number | undefined
}

/**
 * Finds every ortho of a text and writes the archive.
 *
 * The archive appears whole when the search is done, or not at all.
 *
 * @example
 * ```ts
 * const { orthoCount, optimal } = await search({ path: 'chapter.txt' }, { out: 'chapter.bin' })
 * ```
 */
export async function search(input: SearchInput, options: SearchOptions): Promise<ArchiveSummary> {
  const memory = coreMemory(options.memory ?? (await defaultMemory(machine)))
  const threads = checkInteger('threads', options.threads ?? (await machine.processors()), 1, 1024)
  const request: NativeSearchRequest = { ...source(input), out: options.out, memory, threads }
  const manifest = await runTask<Manifest>((addon, control) => addon.search(request, control), options)
  return { ...manifest, archive: options.out }
}

function source(input: SearchInput): Pick<NativeSearchRequest, 'path' | 'bytes' | 'name'> {
  if ('path' in input) return { path: input.path, name: input.name ?? inputName(input.path) }
  const bytes = typeof input.text === 'string' ? new TextEncoder().encode(input.text) : input.text
  return { bytes, name: input.name }
}
