/**
 * Whether the storage can be reached and what the key may do there. A worker needs to read its input and to store its
 * archive; to list is a help for people, and its lack only a warning.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { FoldError, throwIfAborted, toFoldError } from '../errors.js'
import type { Bucket } from '../storage/bucket.js'
import type { DoctorOptions, Finding } from './doctor.js'

/** Milliseconds for one question to the storage. */
const PATIENCE = 10_000

/** Variables of which any says that a storage is meant to be used. */
const MEANT = /^(?:DO_SPACES_|FOLD_INPUT_URL$|FOLD_ARCHIVE_URL$)/

/** One finding for each thing that is tried. */
export async function checkStorage(options: DoctorOptions): Promise<Finding[]> {
  const { effects, write } = options
  const { env } = effects
  if (!Object.keys(env).some((name) => MEANT.test(name) && env[name])) {
    return [{ check: 'storage', state: 'ok', found: 'none is set up; only cloud work needs one' }]
  }
  const [{ S3IO }, { storageSettings }] = [
    await import('../storage/s3-io.js'),
    await import('../storage/settings.js'),
  ]
  const problems: string[] = []
  if (!storageSettings(env, problems)) {
    return problems.map((found): Finding => ({
      check: 'storage',
      state: 'problem',
      found,
      remedy: 'set it; docs/cloud.md has all variables',
    }))
  }
  const io = S3IO.fromEnv(env)
  const inputs = io.inputs()
  if (io.settings.kind === 'presigned') {
    const read = await attempt('read the input by its URL', inputs.url, 'problem', options, (stop) =>
      readFirst(inputs, '', stop),
    )
    return [
      read.finding,
      {
        check: 'storage',
        state: 'ok',
        found: 'storing by the other URL is not tried, as it can be used only once',
      },
    ]
  }
  const archives = io.archives()
  const findings: Finding[] = []
  const listed = await attempt('list inputs', inputs.url, 'warning', options, (stop) =>
    firstKey(inputs, stop),
  )
  findings.push(listed.finding)
  // Where nobody answers there is nothing else to ask.
  if (!listed.answered) return findings
  const key = listed.value
  if (key === undefined) {
    if (listed.finding.state === 'ok') {
      findings.push({
        check: 'storage',
        state: 'ok',
        found: `${inputs.url} holds no object, so reading is not tried`,
      })
    }
  } else {
    const read = await attempt('read an input', inputs.url, 'problem', options, (stop) =>
      readFirst(inputs, key, stop),
    )
    findings.push(read.finding)
  }
  findings.push(
    (await attempt('list archives', archives.url, 'warning', options, (stop) => firstKey(archives, stop)))
      .finding,
  )
  if (write) {
    const name = `fold-worker-doctor-${effects.uniqueId()}`
    const stored = await attempt(
      `store an archive (as ${name}, which can be deleted)`,
      archives.url,
      'problem',
      options,
      (stop) => store(archives, name, effects, stop),
    )
    findings.push(stored.finding)
  } else {
    findings.push({
      check: 'storage',
      state: 'ok',
      found: 'storing is not tried; --write stores a small object to see',
    })
  }
  return findings
}

/** Tries one thing; what it gives, and what it means if it cannot be done. */
async function attempt<T>(
  what: string,
  where: string,
  grave: 'warning' | 'problem',
  { effects, signal }: DoctorOptions,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<{ finding: Finding; value: T | undefined; answered: boolean }> {
  try {
    const value = await within(effects, signal, act)
    return {
      finding: { check: 'storage', state: 'ok', found: `${where}: the key may ${what}` },
      value,
      answered: true,
    }
  } catch (thrown) {
    throwIfAborted(signal)
    const error = toFoldError(thrown)
    const denied = error.code === 'STORAGE_DENIED'
    // That a key may not list is no harm; that nothing answers is.
    const state = denied || error.code === 'INPUT_NOT_FOUND' ? grave : 'problem'
    return {
      finding: {
        check: 'storage',
        state,
        found: `${where}: cannot ${what}: ${error.message}`,
        remedy: remedyFor(error, grave),
      },
      value: undefined,
      answered: error.code !== 'STORAGE_UNAVAILABLE',
    }
  }
}

/** Gives up when nobody answers in time. */
async function within<T>(
  clock: DoctorOptions['effects'],
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const [stop, done] = [new AbortController(), new AbortController()]
  const forward = () => stop.abort(signal.reason)
  signal.addEventListener('abort', forward)
  const late = clock.sleep(PATIENCE, done.signal).then(() => {
    const error = new FoldError('STORAGE_UNAVAILABLE', `no answer within ${PATIENCE / 1000} s`)
    stop.abort(error)
    if (!done.signal.aborted) throw error
    return undefined as never
  })
  try {
    return await Promise.race([act(stop.signal), late])
  } finally {
    done.abort()
    signal.removeEventListener('abort', forward)
    await late.catch(() => undefined)
  }
}

function remedyFor({ code }: FoldError, grave: 'warning' | 'problem'): string {
  switch (code) {
    case 'STORAGE_DENIED':
      return grave === 'warning'
        ? 'a worker that is told its input does not need this; else give the key the right to list'
        : 'check DO_SPACES_ACCESS_KEY and DO_SPACES_SECRET_KEY, and the rights of that key in this bucket'
    case 'BUCKET_NOT_FOUND':
      return 'make the bucket, or check DO_SPACES_INPUT_BUCKET, DO_SPACES_ARCHIVE_BUCKET and DO_SPACES_REGION'
    case 'CLOCK_SKEWED':
      return 'set the clock of this machine, and keep it right by NTP'
    case 'URL_EXPIRED':
      return 'make new presigned URLs'
    default:
      return 'check DO_SPACES_ENDPOINT and DO_SPACES_REGION, and the way to it (DNS, firewall, proxy)'
  }
}

async function firstKey(bucket: Bucket, signal: AbortSignal): Promise<string | undefined> {
  for await (const { key } of bucket.list('', signal)) return key
  return undefined
}

async function readFirst(bucket: Bucket, key: string, signal: AbortSignal): Promise<void> {
  const reading = await bucket.read(key, { signal })
  try {
    const bytes = reading.body[Symbol.asyncIterator]()
    await bytes.next()
    await bytes.return?.()
  } finally {
    reading.close()
  }
}

async function store(
  bucket: Bucket,
  key: string,
  { files, scratch, uniqueId }: DoctorOptions['effects'],
  signal: AbortSignal,
): Promise<void> {
  const text = 'stored by fold-worker doctor --write; it can be deleted\n'
  const path = join(await scratch(), `fold-doctor-${uniqueId()}`)
  await files.writeFile(path, text, { flag: 'wx' })
  try {
    const sha256 = createHash('sha256').update(text).digest('hex')
    await bucket.create(key, { path, bytes: Buffer.byteLength(text), sha256, metadata: {} }, signal)
  } finally {
    await files.rm(path, { force: true })
  }
}
