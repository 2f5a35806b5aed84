// An archive directory to a bucket, or back, by the built library, in a process of its own: what is measured.
//
//   node transfer.mjs store DIRECTORY SCRATCH        prints the key
//   node transfer.mjs fetch KEY DIRECTORY
// As the worker and a merge do it: neither they nor tar make temporary files outlive a loss of power.
import { join } from 'node:path'
import { S3IO, compressArchive } from '../../dist/index.js'

const [what, ...rest] = process.argv.slice(2)
const io = S3IO.fromEnv(process.env)
if (what === 'store') {
  const [directory, scratch] = rest
  const packed = await compressArchive(directory, { out: join(scratch, 'packed.tar.zst'), durable: false })
  const { key } = await io.uploadArchive(packed, { inputName: 'bench' })
  process.stdout.write(key)
} else {
  const [key, directory] = rest
  await io.fetchArchive(key, directory, { durable: false })
}
