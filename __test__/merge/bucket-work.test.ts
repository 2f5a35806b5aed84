/** Transfers of a merge tell how far they are. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { clock, machine } from '../../src/effects.js'
import { search } from '../../src/index.js'
import { BucketWork, type Transfer } from '../../src/merge/bucket-work.js'
import { manySquares } from '../support/texts.js'
import { temporary } from '../support/world.js'

test('storing and fetching an archive is told in bytes, up to the last', async (t) => {
  const directory = temporary(t)
  mkdirSync(join(directory, 'bucket'))
  const archive = await search({ text: manySquares(12), name: 'a' }, { out: join(directory, 'a.bin') })
  const transfers: Transfer[] = []
  const url = `file://${directory}/bucket/`
  const work = new BucketWork({
    env: {},
    world: { ...machine, ...clock },
    parent: directory,
    to: url,
    signal: new AbortController().signal,
    onTransfer: (transfer) => transfers.push(transfer),
  })
  t.true((await work.store(archive, 'a'))?.stored)
  t.is((await work.fetch(url)).length, 1)
  await work.end()
  for (const phase of ['upload', 'download'] as const) {
    const told = transfers.filter((transfer) => transfer.phase === phase)
    t.true(told.length > 0, phase)
    t.regex(told[0]?.name ?? '', /^a/)
    t.deepEqual(
      told.map(({ done }) => done),
      told.map(({ done }) => done).sort((a, b) => a - b),
    )
    t.is(told.at(-1)?.done, told.at(-1)?.total)
  }
})
