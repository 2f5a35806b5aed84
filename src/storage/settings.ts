/**
 * Where the storage is, from the environment. Everything that is wrong is found at once and said by the names of
 * variables, never by their values: some are secret.
 */
import { parseDuration } from '../machine/duration.js'

/** The environment as it is given. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A storage behind an S3 interface. */
export interface S3Settings {
  kind: 's3'
  endpoint: string
  region: string
  accessKey: string
  secretKey: string
}

/** A directory with a directory for each bucket. */
export interface DirectorySettings {
  kind: 'directory'
  path: string
}

/** One presigned URL to read each input and one to write its archive. */
export interface PresignedSettings {
  kind: 'presigned'
  inputs: string[]
  archives: string[]
}

/** Where the storage is, and the buckets in it. */
export type StorageSettings = (S3Settings | DirectorySettings | PresignedSettings) & {
  inputBucket: string
  archiveBucket: string
  /** Milliseconds for one transfer with all its attempts. */
  transferTime: number
}

const DEFAULT_INPUT_BUCKET = 'fold-input'
const DEFAULT_ARCHIVE_BUCKET = 'fold-archives'
export const DEFAULT_TRANSFER_TIME = 3_600_000

/** The settings, adding to `problems` what is wrong; undefined if anything is. */
export function storageSettings(env: Environment, problems: string[]): StorageSettings | undefined {
  const before = problems.length
  const common = {
    inputBucket: bucketName(env, 'DO_SPACES_INPUT_BUCKET', DEFAULT_INPUT_BUCKET, problems),
    archiveBucket: bucketName(env, 'DO_SPACES_ARCHIVE_BUCKET', DEFAULT_ARCHIVE_BUCKET, problems),
    transferTime: transferTime(env, problems),
  }
  const place =
    env['FOLD_INPUT_URL'] || env['FOLD_ARCHIVE_URL'] ? presigned(env, problems) : withKeys(env, problems)
  return problems.length > before || !place ? undefined : { ...place, ...common }
}

function withKeys(env: Environment, problems: string[]): S3Settings | DirectorySettings | undefined {
  const region = env['DO_SPACES_REGION'] ?? ''
  if (region !== '' && !/^[a-z0-9-]{1,40}$/.test(region)) {
    problems.push('DO_SPACES_REGION is not the name of a region, such as nyc3')
  }
  const given = env['DO_SPACES_ENDPOINT'] ?? ''
  if (given === '' && region === '') {
    problems.push('DO_SPACES_ENDPOINT or DO_SPACES_REGION must say where the storage is')
    mustHave(env, ['DO_SPACES_ACCESS_KEY', 'DO_SPACES_SECRET_KEY'], problems)
    return undefined
  }
  const text = given === '' ? `https://${region}.digitaloceanspaces.com` : given
  const endpoint = parseUrl(text.includes('://') ? text : `https://${text}`)
  if (endpoint?.protocol === 'file:') return directory(endpoint, problems)
  const why = refusal(endpoint, env)
  if (why) problems.push(`DO_SPACES_ENDPOINT ${why}`)
  if (endpoint?.username || endpoint?.password || endpoint?.search) {
    problems.push('DO_SPACES_ENDPOINT must hold nothing but scheme, host, port and path')
  }
  mustHave(env, ['DO_SPACES_ACCESS_KEY', 'DO_SPACES_SECRET_KEY'], problems)
  if (!endpoint) return undefined
  return {
    kind: 's3',
    endpoint: endpoint.href.replace(/\/$/, ''),
    region: region || 'us-east-1',
    accessKey: env['DO_SPACES_ACCESS_KEY'] ?? '',
    secretKey: env['DO_SPACES_SECRET_KEY'] ?? '',
  }
}

function directory(endpoint: URL, problems: string[]): DirectorySettings | undefined {
  try {
    if (endpoint.host !== '') throw new Error('a host')
    return { kind: 'directory', path: decodeURIComponent(endpoint.pathname) }
  } catch {
    problems.push('DO_SPACES_ENDPOINT must be file:/// and an absolute path to be a directory')
    return undefined
  }
}

function presigned(env: Environment, problems: string[]): PresignedSettings {
  const [inputs, archives] = ['FOLD_INPUT_URL', 'FOLD_ARCHIVE_URL'].map((name) => {
    const urls = texts(env[name] ?? '')
    if (urls.length === 0) problems.push(`${name} is missing; both presigned URLs are needed, or neither`)
    for (const url of urls) {
      const why = refusal(parseUrl(url), env)
      if (why) problems.push(`${name} ${why}`)
    }
    return urls
  }) as [string[], string[]]
  if (inputs.length !== archives.length) {
    problems.push('FOLD_INPUT_URL and FOLD_ARCHIVE_URL must hold equally many URLs')
  }
  return { kind: 'presigned', inputs, archives }
}

/** One text, or those of a JSON array. */
export function texts(value: string): string[] {
  if (value.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(value)
      if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list
    } catch {
      // A key may begin with a bracket.
    }
  }
  return value === '' ? [] : [value]
}

/** Why a URL may not be used. What is sent over plain HTTP can be read and changed on its way. */
function refusal(url: URL | undefined, env: Environment): string | undefined {
  if (!url) return 'is not a URL'
  if (url.protocol === 'https:') return undefined
  if (url.protocol !== 'http:') return 'must begin with https:// or file:///'
  if (isLoopback(url.hostname) || env['FOLD_ALLOW_HTTP'] === '1') return undefined
  return 'must begin with https:// (plain http is for this machine itself, or with FOLD_ALLOW_HTTP=1)'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function mustHave(env: Environment, names: readonly string[], problems: string[]): void {
  for (const name of names) {
    const value = env[name] ?? ''
    if (value === '') problems.push(`${name} is missing`)
    else if (/\s/.test(value)) problems.push(`${name} has white space in it`)
  }
}

function bucketName(env: Environment, variable: string, standard: string, problems: string[]): string {
  const name = env[variable] || standard
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) {
    problems.push(`${variable} is not the name of a bucket`)
  }
  return name
}

function transferTime(env: Environment, problems: string[]): number {
  const text = env['FOLD_TRANSFER_TIME'] || undefined
  if (text === undefined) return DEFAULT_TRANSFER_TIME
  try {
    return parseDuration(text) * 1000
  } catch {
    problems.push('FOLD_TRANSFER_TIME is not a time, such as 90s, 10m or 2h')
    return DEFAULT_TRANSFER_TIME
  }
}
