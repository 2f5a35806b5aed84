/**
 * What could keep the program from working here, each thing with what was found and what to do about it.
 *
 * Nothing is changed, and nothing is stored unless that is asked for. Values of variables are never repeated: some are
 * secret.
 */
import { join } from 'node:path'
import { FoldError, systemCode, toFoldError } from '../errors.js'
import type { Effects } from '../effects.js'
import { coreMemory, defaultMemory } from '../machine/memory.js'
import { formatSize } from '../machine/size.js'
import { checkStorage } from './storage.js'
import { checkVariables } from './variables.js'

/** One thing that was looked at. */
export interface Finding {
  /** What: `node`, `binary`, `memory`, `processors`, `disk`, `environment`, `storage`. */
  check: string
  state: 'ok' | 'warning' | 'problem'
  /** What was found. */
  found: string
  /** What to do about it; there unless the state is `ok`. */
  remedy?: string
}

/** What a diagnosis needs. */
export interface DoctorOptions {
  effects: Effects
  /** Makes the native part do something small; rejects if it cannot. */
  tryBinary: () => Promise<void>
  stateDirectory: string
  /** The variables that stand for options. */
  variables: ReadonlySet<string>
  /** Also store a small object, to see whether the key may. */
  write: boolean
  signal: AbortSignal
}

const LEAST_NODE = 20
/** Less memory than this makes searches of whole books slow. */
const COMFORTABLE_MEMORY = 256 * 2 ** 20
/** Less free disk than this is soon used up. */
const COMFORTABLE_DISK = 2 * 2 ** 30

/** All checks, in the order in which they are shown. */
export async function diagnose(options: DoctorOptions): Promise<Finding[]> {
  const { effects } = options
  return [
    checkNode(effects),
    await checkBinary(options),
    await checkMemory(effects),
    ok('processors', `${await effects.processors()} for this process`),
    await checkDisk(options),
    ...checkVariables(effects.env, options.variables),
    ...(await checkStorage(options)),
  ]
}

/** A finding that is as it should be. */
export function ok(check: string, found: string): Finding {
  return { check, state: 'ok', found }
}

function checkNode({ system }: Effects): Finding {
  const { node } = system
  const major = Number(/^v(\d+)/.exec(node)?.[1])
  if (major >= LEAST_NODE) return ok('node', node)
  const remedy = `install Node.js ${LEAST_NODE} or later, from https://nodejs.org or your system`
  return { check: 'node', state: 'problem', found: node, remedy }
}

async function checkBinary({ effects, tryBinary }: DoctorOptions): Promise<Finding> {
  const { platform, arch, libc } = effects.system
  const here = [platform, arch, libc].filter(Boolean).join(' ')
  try {
    await tryBinary()
    return ok('binary', `works on ${here}`)
  } catch (error) {
    const { code, message } = toFoldError(error)
    return {
      check: 'binary',
      state: 'problem',
      found: `on ${here}: ${code}: ${message}`,
      remedy:
        'install the package again with its optional dependencies (npm install without --omit=optional); where no ' +
        'build fits, build it with stable Rust',
    }
  }
}

async function checkMemory(effects: Effects): Promise<Finding> {
  const [machine, budget] = [await effects.machineMemory(), await defaultMemory(effects)]
  const limit =
    budget < Math.floor(machine / 2) ? `, of which a control group grants ${formatSize(budget * 2)}` : ''
  const found = `${formatSize(machine)}${limit}; a search takes ${formatSize(budget)} unless --memory says otherwise`
  try {
    coreMemory(budget)
  } catch (error) {
    return {
      check: 'memory',
      state: 'problem',
      found: `${found}; ${toFoldError(error).message}`,
      remedy: 'use a machine with more memory, or raise the limit of the control group',
    }
  }
  if (budget >= COMFORTABLE_MEMORY) return ok('memory', found)
  const remedy = 'large texts will be slow: give it more memory with --memory, or a larger machine'
  return { check: 'memory', state: 'warning', found, remedy }
}

async function checkDisk({ effects, stateDirectory }: DoctorOptions): Promise<Finding> {
  const { files } = effects
  // The directory itself, or the one that it would be made in.
  const there = await files.stat(stateDirectory).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  const place = there ? stateDirectory : join(stateDirectory, '..')
  const probe = join(place, `.fold-doctor-${effects.uniqueId()}`)
  try {
    await files.writeFile(probe, '', { flag: 'wx' })
    await files.unlink(probe)
    const { bavail, bsize, blocks } = await files.statfs(place)
    const free = bavail * bsize
    const found = `${stateDirectory}${there ? '' : ' (to be made)'}: writable, ${formatSize(free)} of ${formatSize(blocks * bsize)} free`
    if (free >= COMFORTABLE_DISK) return ok('disk', found)
    const remedy =
      'make room, or choose a place with more by --state-dir; a search ends early before the disk is full'
    return { check: 'disk', state: 'warning', found, remedy }
  } catch (error) {
    return {
      check: 'disk',
      state: 'problem',
      found: `${stateDirectory} cannot be written to: ${toFoldError(error).message}`,
      remedy: 'choose another place by --state-dir or LOCAL_STATE_DIR, or ask for the right to write there',
    }
  }
}

/** The error of a diagnosis with problems. */
export function problemsFound(findings: readonly Finding[]): FoldError | undefined {
  const problems = findings.filter(({ state }) => state === 'problem')
  if (problems.length === 0) return undefined
  const checks = [...new Set(problems.map(({ check }) => check))].join(', ')
  return new FoldError('PROBLEMS_FOUND', `something is wrong with: ${checks}; what to do is said above`)
}

/** Lines for people. */
export function describeFindings(findings: readonly Finding[]): string[] {
  const marks = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM' }
  return findings.flatMap(({ check, state, found, remedy }) => [
    `${marks[state].padEnd(8)}${check.padEnd(13)}${found}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(21)}-> ${remedy}`]),
  ])
}
