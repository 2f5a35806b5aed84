/**
 * The archives of a bucket that a merge needs, brought here: grouped by input and chosen by what they say of themselves,
 * so that only what is needed is downloaded.
 */
import { join } from 'node:path'
import { decompressArchive } from '../archiving/decompress.js'
import { isFinished } from '../archiving/facts.js'
import { machine, type Files } from '../effects.js'
import { FoldError } from '../errors.js'
import { S3IO, type StoredArchive } from './s3-io.js'
import type { Environment } from './settings.js'

/** Options of {@link resolveArchives}. */
export interface ResolveOptions {
  env: Environment
  /** Where the archives are unpacked: an empty directory of the caller's, who removes it. */
  directory: string
  signal?: AbortSignal | undefined
  files?: Files | undefined
}

/** An archive brought here. */
export interface ResolvedArchive {
  /** The archive directory. */
  path: string
  /** Where it came from. */
  url: string
  /** Equal for archives of one input. */
  group: string
  inputName: string
}

/** Whether a merge's argument names a bucket. */
export function isBucketUrl(text: string): boolean {
  return /^(?:s3|file):\/\//.test(text)
}

/**
 * Brings the archives below `s3://bucket/prefix` (or `file:///directory/prefix`, where the directory is the last part
 * that ends in a slash). Of an input with a complete archive only that one; of others, all that differ. Archives that hold
 * the best only are left aside where there are others of the input.
 */
export async function resolveArchives(
  url: string,
  { env, directory, signal, files = machine.files }: ResolveOptions,
): Promise<ResolvedArchive[]> {
  const { io, prefix } = bucketOf(url, env)
  const found: StoredArchive[] = []
  for await (const archive of io.listArchives(prefix, { signal })) found.push(archive)
  const chosen = choose(found)
  if (chosen.length === 0) throw new FoldError('INPUT_NOT_FOUND', `there is no archive at ${url}`)
  const resolved: ResolvedArchive[] = []
  for (const [index, { archive, group }] of chosen.entries()) {
    const file = join(directory, `${index}.tar.zst`)
    const path = join(directory, `${index}.bin`)
    await io.downloadArchive(archive.key, file, { signal })
    await decompressArchive(file, { out: path, signal, files })
    // Both forms of all archives together would take twice the disk.
    await files.rm(file)
    resolved.push({ path, url: `${io.archives().url}/${archive.key}`, group, inputName: archive.inputName })
  }
  return resolved
}

/** The storage and prefix of a URL. */
export function bucketOf(url: string, env: Environment): { io: S3IO; prefix: string } {
  const [, s3Bucket, key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(url) ?? []
  if (s3Bucket !== undefined) {
    return { io: S3IO.fromEnv({ ...env, DO_SPACES_ARCHIVE_BUCKET: s3Bucket }), prefix: key }
  }
  const path =
    url.startsWith('file:///') && URL.canParse(url) ? decodeURIComponent(new URL(url).pathname) : ''
  const [, parent, name, prefix = ''] = /^(\/(?:.*\/)?)([^/]+)\/([^/]*)$/s.exec(path) ?? []
  if (parent === undefined || name === undefined) {
    throw new FoldError('INVALID_ARGUMENT', `"${url}" is neither s3://bucket/prefix nor file:///directory/`)
  }
  const endpoint = `file://${parent.split('/').map(encodeURIComponent).join('/')}`
  return { io: S3IO.fromEnv({ DO_SPACES_ENDPOINT: endpoint, DO_SPACES_ARCHIVE_BUCKET: name }), prefix }
}

/** The archives that a merge needs, each with its group. */
export function choose(found: readonly StoredArchive[]): { archive: StoredArchive; group: string }[] {
  const groups = new Map<string, StoredArchive[]>()
  for (const archive of found) {
    const input = archive.facts?.input
    // Without facts, or of several inputs: a group of its own.
    const group = input ? `input ${input.sha256}` : `object ${archive.key}`
    groups.set(group, [...(groups.get(group) ?? []), archive])
  }
  return [...groups].flatMap(([group, archives]) => needed(archives).map((archive) => ({ archive, group })))
}

function needed(archives: readonly StoredArchive[]): StoredArchive[] {
  const most = [...archives].sort((a, b) => (b.facts?.orthoCount ?? 0) - (a.facts?.orthoCount ?? 0))
  const complete = most.find(({ facts }) => facts?.complete)
  if (complete) return [complete]
  const listing = most.filter(({ facts }) => facts?.top === undefined)
  if (listing.length > 0 && listing.length < most.length) return needed(listing)
  // Equal content is needed once; of those, one that is a finished shard says more than one that is not.
  const byContent = new Map<string, StoredArchive>()
  for (const archive of most) {
    const content = archive.facts?.contentDigest ?? archive.key
    const known = byContent.get(content)
    if (!known || (archive.facts && isFinished(archive.facts) && !(known.facts && isFinished(known.facts)))) {
      byContent.set(content, archive)
    }
  }
  return [...byContent.values()]
}
