/** Places in buckets as people name them: `s3://bucket/prefix`, or `file:///directory/prefix` for a directory in its place. */
import { basename, dirname } from 'node:path'
import { FoldError } from '../errors.js'
import { S3IO, type StorageWorld } from './s3-io.js'
import { DEFAULT_TRANSFER_TIME, type Environment } from './settings.js'

/** Where keys begin with a prefix; both buckets of `io` are the one that was named. */
export interface Location {
  io: S3IO
  /** Where it is meant as a folder, see {@link folderOf}. */
  prefix: string
}

/**
 * The bucket and prefix of a URL. With `file://` the bucket is the directory itself if the path is one, and otherwise the
 * directory above the last part of the path, which is the prefix.
 */
export async function locate(url: string, env: Environment, world: StorageWorld): Promise<Location> {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(url) ?? []
  if (bucket !== undefined) {
    // Presigned URLs are for single objects; whoever names a bucket has keys.
    const own = { FOLD_INPUT_URL: undefined, FOLD_ARCHIVE_URL: undefined }
    const named = { DO_SPACES_INPUT_BUCKET: bucket, DO_SPACES_ARCHIVE_BUCKET: bucket }
    return { io: S3IO.fromEnv({ ...env, ...own, ...named }, { world }), prefix }
  }
  const path = pathOf(url)
  if (path === undefined || path === '/') {
    throw new FoldError(
      'INVALID_ARGUMENT',
      `"${url}" is neither s3://bucket/prefix nor file:/// and an absolute path`,
    )
  }
  const isBucket = path.endsWith('/') || (await isDirectory(path, world))
  const directory = isBucket ? path.replace(/\/+$/, '') : dirname(path)
  const name = basename(directory)
  if (name === '') throw new FoldError('INVALID_ARGUMENT', `"${url}": files are not kept in / itself`)
  const settings = {
    kind: 'directory',
    path: dirname(directory),
    inputBucket: name,
    archiveBucket: name,
    transferTime: DEFAULT_TRANSFER_TIME,
  } as const
  return { io: new S3IO(settings, world), prefix: isBucket ? '' : basename(path) }
}

/** A prefix as the folder that things are put into: empty, or with a slash at its end. */
export function folderOf(prefix: string): string {
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
}

function pathOf(url: string): string | undefined {
  try {
    return url.startsWith('file:///') ? decodeURIComponent(new URL(url).pathname) : undefined
  } catch {
    return undefined
  }
}

async function isDirectory(path: string, { files }: StorageWorld): Promise<boolean> {
  try {
    return (await files.stat(path)).isDirectory()
  } catch {
    return false
  }
}
