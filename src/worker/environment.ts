/** What a worker is to do, from the environment: all of it is checked before anything is done. */
import type { GoalOptions } from '../goal.js'
import { parseDuration } from '../machine/duration.js'
import { parseSize } from '../machine/size.js'
import type { Shard } from '../storage/names.js'
import { environmentError } from '../storage/s3-io.js'
import { storageSettings, texts, type Environment, type StorageSettings } from '../storage/settings.js'

/** A worker's orders. */
export interface WorkerSettings {
  storage: StorageSettings
  /** Keys, `s3://` URLs, and prefixes that end in `/`. */
  inputs: string[]
  stateDirectory: string
  memory: number | undefined
  threads: number | undefined
  limits: SearchLimits
  shard: Shard | undefined
  goal: GoalOptions
}

/** Limits of a search, as it takes them. */
export interface SearchLimits {
  maxOrthos?: number | undefined
  /** Seconds. */
  maxTime?: number | undefined
  maxDisk?: number | undefined
  diskReserve?: number | undefined
  maxDims?: number | undefined
}

/** Reads the environment; everything that is wrong is in one error. */
export function workerSettings(env: Environment, stateDirectory?: string): WorkerSettings {
  const problems: string[] = []
  const storage = storageSettings(env, problems)
  const read = <T>(name: string, what: string, parse: (text: string) => T | undefined): T | undefined => {
    const text = env[name]
    if (text === undefined || text === '') return undefined
    const value = parse(text)
    if (value === undefined) problems.push(`${name} is not ${what}`)
    return value
  }
  const inputs = texts(env['INPUT_FILE'] ?? '')
  if (inputs.length === 0 || inputs.includes('')) {
    problems.push(
      'INPUT_FILE must name an input: a key, s3://bucket/key, a prefix that ends in /, or a JSON array of these',
    )
  }
  if (storage?.kind === 'presigned' && storage.inputs.length !== inputs.length) {
    problems.push('INPUT_FILE must name as many inputs as there are presigned URLs')
  }
  if (storage?.kind === 'presigned' && inputs.some(isPrefix)) {
    problems.push('INPUT_FILE must not be a prefix when there are presigned URLs, as these cannot list')
  }
  const settings = {
    inputs,
    stateDirectory: stateDirectory ?? (env['LOCAL_STATE_DIR'] || './fold_state'),
    memory: read('FOLD_MEMORY', 'a size, such as 512M', (text) => attempt(parseSize, text)),
    threads: read('FOLD_THREADS', 'a whole number of at least 1', count),
    limits: {
      maxOrthos: read('FOLD_MAX_ORTHOS', 'a whole number of at least 1', count),
      maxTime: read('FOLD_MAX_TIME', 'a time, such as 90s, 10m or 2h', (text) =>
        attempt(parseDuration, text),
      ),
      maxDisk: read('FOLD_MAX_DISK', 'a size, such as 20G', (text) => attempt(parseSize, text)),
      diskReserve: read('FOLD_DISK_RESERVE', 'a size, such as 1G, or 0', (text) =>
        text === '0' ? 0 : attempt(parseSize, text),
      ),
      maxDims: read('FOLD_MAX_DIMS', 'a whole number of at least 1', count),
    },
    shard: read('FOLD_SHARD', 'a shard i/n with i from 1 to n, such as 3/8', parseShard),
  }
  const goal = goalOf(
    settings,
    env['FOLD_GOAL'] || undefined,
    read('FOLD_TOP', 'a whole number of at least 1', count),
    problems,
  )
  if (!storage || problems.length > 0) throw environmentError(problems)
  return { ...settings, storage, goal }
}

/** What is looked for; what does not go with it is a problem. */
function goalOf(
  { shard, limits }: Pick<WorkerSettings, 'shard' | 'limits'>,
  goal: string | undefined,
  top: number | undefined,
  problems: string[],
): GoalOptions {
  if (goal !== undefined && goal !== 'all' && goal !== 'optimal')
    problems.push('FOLD_GOAL is neither all nor optimal')
  if (goal !== 'optimal') {
    if (top !== undefined) problems.push('FOLD_TOP goes with FOLD_GOAL=optimal')
    return {}
  }
  if (shard || limits.maxOrthos !== undefined || limits.maxDims !== undefined) {
    problems.push('FOLD_SHARD, FOLD_MAX_ORTHOS and FOLD_MAX_DIMS have no meaning with FOLD_GOAL=optimal')
  }
  return { goal, ...(top !== undefined && { top }) }
}

/** Whether it stands for all inputs whose keys begin so. */
export function isPrefix(input: string): boolean {
  return input.endsWith('/')
}

/** The shard that `i/n` names. */
export function parseShard(text: string): Shard | undefined {
  const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []
  const shard = { index: Number(index), count: Number(of) }
  return shard.index >= 1 && shard.index <= shard.count ? shard : undefined
}

function attempt<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

function count(text: string): number | undefined {
  const value = Number(text)
  return /^\d{1,15}$/.test(text) && value >= 1 ? value : undefined
}
