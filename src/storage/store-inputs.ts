/** Files to a bucket as inputs, under keys that nothing else has; those that are there already are passed over. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { FoldError } from '../errors.js'
import { folderOf, type Location } from './location.js'
import type { StorageWorld } from './s3-io.js'

const PARALLEL = 8

/** Stores the files of a directory that are named; resolves to how many were stored, the others having been there. */
export async function storeInputs(
  directory: string,
  names: readonly string[],
  { io, prefix }: Location,
  { world, signal }: { world: StorageWorld; signal: AbortSignal },
): Promise<number> {
  const folder = folderOf(prefix)
  await refuseTaken(directory, names, { io, prefix }, world, signal)
  let stored = 0
  let next = 0
  const work = async () => {
    for (let name = names[next]; name !== undefined; name = names[next]) {
      next += 1
      const file = await digested(join(directory, name), world)
      const outcome = await io.uploadInput(folder + name, file, { signal })
      if (outcome === 'exists') throw taken(`${io.inputs().url}/${folder}${name}`, stored, names.length)
      if (outcome === 'created') stored += 1
    }
  }
  const results = await Promise.allSettled(Array.from({ length: PARALLEL }, work))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return stored
}

/** Before anything is stored: what has the name and another length is something else. */
async function refuseTaken(
  directory: string,
  names: readonly string[],
  { io, prefix }: Location,
  { files }: StorageWorld,
  signal: AbortSignal,
): Promise<void> {
  const folder = folderOf(prefix)
  const there = new Map<string, number>()
  for await (const { key, bytes } of io.inputs().list(folder, signal)) there.set(key, bytes)
  for (const name of names) {
    const bytes = there.get(folder + name)
    if (bytes !== undefined && bytes !== (await files.stat(join(directory, name))).size) {
      throw taken(`${io.inputs().url}/${folder}${name}`, 0, names.length)
    }
  }
}

async function digested(
  path: string,
  { files }: StorageWorld,
): Promise<{ path: string; bytes: number; sha256: string }> {
  const sum = createHash('sha256')
  let bytes = 0
  const handle = await files.open(path, 'r')
  try {
    for (const buffer = Buffer.allocUnsafe(1 << 20); ;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length)
      if (bytesRead === 0) return { path, bytes, sha256: sum.digest('hex') }
      sum.update(buffer.subarray(0, bytesRead))
      bytes += bytesRead
    }
  } finally {
    await handle.close()
  }
}

function taken(url: string, stored: number, all: number): FoldError {
  return new FoldError(
    'OUTPUT_EXISTS',
    `${url} is there already and holds something else; nothing is overwritten (${stored} of ${all} stored)`,
  )
}
