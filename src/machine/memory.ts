/**
 * How much memory a run may take.
 *
 * `--memory` is the budget of the whole process. Node itself needs a part of it, so the core is given the budget
 * less {@link NODE_MEMORY}. The default is half of what the machine has or its control group (v1 or v2) grants.
 */
import type { Files, Machine } from '../effects.js'
import { FoldError } from '../errors.js'
import { formatSize } from './size.js'

/**
 * What a process of this program takes beside the core. Measured on Linux as peak resident memory of `search` on a text
 * of a few words: 49 MiB with Node 20, 64 MiB with Node 24 when words need the tables of wide characters; and some
 * for what accumulates between two garbage collections of a long run.
 */
export const NODE_MEMORY = 80 * 2 ** 20

/** Below this a search cannot even hold its buffers. The core may still ask for more for a given text. */
export const LEAST_CORE_MEMORY = 8 * 2 ** 20

/** The core's share of a process budget. */
export function coreMemory(processBudget: number): number {
  const rest = processBudget - NODE_MEMORY
  if (rest < LEAST_CORE_MEMORY) {
    throw new FoldError(
      'MEMORY_TOO_SMALL',
      `a memory budget of ${formatSize(processBudget)} is too small: at least ` +
        `${formatSize(NODE_MEMORY + LEAST_CORE_MEMORY)} are needed, of which Node takes ${formatSize(NODE_MEMORY)}`,
    )
  }
  return rest
}

/** Runs work with the core's share of a process budget; if that is too little, the error speaks of the whole. */
export async function withCoreMemory<T>(
  processBudget: number,
  work: (coreMemory: number) => Promise<T>,
): Promise<T> {
  try {
    return await work(coreMemory(processBudget))
  } catch (error) {
    if (!(error instanceof FoldError) || !error.shortfall) throw error
    const { what, needed } = error.shortfall
    const mebibyte = 2 ** 20
    const enough = Math.ceil((needed + NODE_MEMORY) / mebibyte) * mebibyte
    throw new FoldError(
      'MEMORY_TOO_SMALL',
      `${what} needs a memory budget of about ${formatSize(enough)} and it is ${formatSize(processBudget)}; raise it`,
      { cause: error },
    )
  }
}

/** The process budget when none was asked for. */
export async function defaultMemory(machine: Pick<Machine, 'files' | 'machineMemory'>): Promise<number> {
  const [all, granted] = await Promise.all([machine.machineMemory(), groupLimit(machine.files)])
  return Math.floor(Math.min(all, granted) / 2)
}

/** The least limit of the control groups that this process is in; infinite without one. */
async function groupLimit(files: Files): Promise<number> {
  const membership = await readText(files, '/proc/self/cgroup')
  const limits = groupFiles(membership ?? '').map(async (path) => parseLimit(await readText(files, path)))
  return Math.min(Number.POSITIVE_INFINITY, ...(await Promise.all(limits)))
}

/** The files that may hold a limit: each group applies, and so does each group above it. */
function groupFiles(membership: string): string[] {
  const paths: string[] = []
  for (const line of membership.split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (controllers === undefined || group === undefined) continue
    const unified = controllers === ''
    if (!unified && !controllers.split(',').includes('memory')) continue
    const root = unified ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory'
    const file = unified ? 'memory.max' : 'memory.limit_in_bytes'
    const parts = group.split('/').filter((part) => part !== '' && part !== '..')
    // Inside a container the group's own path may not be visible, while the root shows the container's limit.
    for (let depth = parts.length; depth >= 0; depth -= 1) {
      paths.push([root, ...parts.slice(0, depth), file].join('/'))
    }
  }
  return paths
}

function parseLimit(text: string | undefined): number {
  const bytes = Number(text?.trim() || Number.NaN)
  // Version 2 writes "max" for no limit; version 1 a number larger than any memory, which the minimum ignores.
  return Number.isFinite(bytes) && bytes > 0 ? bytes : Number.POSITIVE_INFINITY
}

async function readText(files: Files, path: string): Promise<string | undefined> {
  try {
    return await files.readFile(path, 'utf8')
  } catch {
    // Not Linux, no such controller, or not readable from here: then it sets no limit that we can know.
    return undefined
  }
}
