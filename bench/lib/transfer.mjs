// An archive directory to a bucket, or back, by the built library, in a process of its own: what is measured.
//
//   node transfer.mjs store DIRECTORY SCRATCH        prints the key
//   node transfer.mjs fetch KEY DIRECTORY SCRATCH
import { join } from 'node:path'
import { S3IO, compressArchive, decompressArchive } from '../../dist/index.js'

const [what, ...rest] = process.argv.slice(2)
const io = S3IO.fromEnv(process.env)
if (what === 'store') {
  const [directory, scratch] = rest
  const packed = await compressArchive(directory, { out: join(scratch, 'packed.tar.zst') })
  const { key } = await io.uploadArchive(packed, { inputName: 'bench' })
  process.stdout.write(key)
} else {
  const [key, directory, scratch] = rest
  const file = join(scratch, 'fetched.tar.zst')
  await io.downloadArchive(key, file)
  await decompressArchive(file, { out: directory })
}
