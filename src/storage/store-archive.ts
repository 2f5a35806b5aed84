/** An archive directory to a bucket: packed, stored under a name that nothing has, and not stored twice. */
import { join } from 'node:path'
import { compressArchive } from '../archiving/compress.js'
import type { ArchiveSummary } from '../manifest.js'
import { folderOf, type Location } from './location.js'
import type { StorageWorld } from './s3-io.js'

/** Options of {@link storeArchive}. */
export interface StoreOptions {
  /** What the object is called, less its timestamp and ending; after the location's folder. */
  name: string
  /** An existing directory for the packed file, on a disk with room for it. */
  directory: string
  world: StorageWorld
  signal?: AbortSignal | undefined
  /** Told now and then how many bytes are stored, of how many. */
  onBytes?: ((done: number, total: number) => void) | undefined
}

/** Where the archive is. `stored` is false if one of the same content and name was there before. */
export async function storeArchive(
  archive: ArchiveSummary,
  { io, prefix }: Location,
  { name, directory, world, signal, onBytes }: StoreOptions,
): Promise<{ url: string; stored: boolean }> {
  const folder = folderOf(prefix)
  // `merge s3://b/books/ --by-input --to s3://b/books/` is not to make books/books/.
  const inputName = name.startsWith(folder) ? name : folder + name
  for await (const { key, inputName: other, facts } of io.listArchives(inputName, { signal })) {
    if (!facts || (other !== inputName && !key.startsWith(`${inputName}_`))) continue
    const same =
      facts.contentDigest === archive.contentDigest &&
      facts.complete === archive.complete &&
      facts.shards.join() === archive.shards.join() &&
      facts.input?.sha256 === archive.input?.sha256
    if (same) return { url: `${io.archives().url}/${key}`, stored: false }
  }
  const out = join(directory, 'archive.tar.zst')
  const packed = await compressArchive(archive.archive, { out, durable: false, signal, files: world.files })
  try {
    const { url } = await io.uploadArchive(packed, { inputName, signal, onBytes })
    return { url, stored: true }
  } finally {
    await world.files.rm(out, { force: true })
  }
}
