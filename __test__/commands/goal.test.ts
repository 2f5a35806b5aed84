/** Goals, estimates and advice on the command line, with a pretended library behind it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { run } from '../../src/cli.js'
import type { Library } from '../../src/commands/base.js'
import { defaultOut } from '../../src/commands/search.js'
import type { Files } from '../../src/effects.js'
import type { EstimateOptions } from '../../src/estimate.js'
import type { SearchOptions } from '../../src/search.js'
import { expected, optimum, summary } from '../support/summaries.js'
import { temporary, world, type WorldOptions } from '../support/world.js'

const unexpected = () => Promise.reject(new Error('not to be called'))
const exactly = (likely: number) => ({ low: likely, likely, high: likely })
/** A disk with 50 GB free. */
const statfs = (async () => ({ bavail: 5e7, bsize: 1000 })) as unknown as Files['statfs']

async function execute(options: WorldOptions, changes: Partial<Library> = {}) {
  const searched: SearchOptions[] = []
  const estimated: EstimateOptions[] = []
  const it = world(options)
  const library: Library = {
    search: async (_, given) => {
      searched.push(given)
      return given.goal === 'optimal' ? optimum({ archive: given.out }) : summary({ archive: given.out })
    },
    estimate: async (_, given = {}) => {
      estimated.push(given)
      return expected()
    },
    openArchive: unexpected,
    mergeArchives: unexpected,
    ...changes,
  }
  const code = await run(it, async () => library)
  return { code, it, searched, estimated }
}

test('search passes the goal on and tells the proof', async (t) => {
  const args = ['search', 'dir/a.txt', '--goal', 'optimal', '--top', '3', '--max-time', '9s']
  const { code, it, searched } = await execute({ args })
  t.is(code, 0)
  t.like(searched[0], { out: 'a.optimal.bin', goal: 'optimal', top: 3, maxTime: 9 })
  t.regex(it.out, /optimal ortho: 2x3/)
  t.regex(it.out, /proved: there is none better\nexcluded: .*: 2x4, 3x3\n/)
  t.is(defaultOut('x/b.txt', undefined, 'optimal'), 'b.optimal.bin')
})

test('a search for the optimum that was stopped says what is open, and how to go on', async (t) => {
  const limits = [{ name: 'maxTime' as const, value: 9 }]
  const proof = { top: 1, excluded: [], open: 5, unranked: 4 }
  const { code, it } = await execute(
    { args: ['search', 'a.txt', '--goal', 'optimal'] },
    { search: async () => optimum({ limits, proof }) },
  )
  t.is(code, 18)
  t.regex(it.out, /best ortho so far: 2x3/)
  t.regex(it.out, /volumes of 5 and more are not excluded\nnot all orthos of volume 4 and less/)
  t.regex(it.err, /stopped after 9.0 s .*search --continue a.bin --goal optimal --out/)
  const none = await execute(
    { args: ['search', 'a.txt', '--goal', 'optimal'] },
    { search: async () => optimum({ limits, proof, orthoCount: 0, shapes: {}, optimal: null }) },
  )
  t.regex(none.it.out, /No ortho was found by then/)
})

test('what would take hours is left open, and may have the time', async (t) => {
  const limits = [{ name: 'effort' as const, value: 16e6 }]
  const proof = { top: 1, excluded: [], open: 16, unranked: null }
  const { code, it } = await execute(
    { args: ['search', 'a.txt', '--goal', 'optimal'] },
    { search: async () => optimum({ limits, proof }) },
  )
  t.is(code, 18)
  t.regex(it.out, /volumes of 16 and more are not excluded\n/)
  t.regex(it.err, /stopped before 3x3x3x3, .* more than 16,000,000 3x3 .*--continue .* --max-time 2h/)
})

/** Asks for a search of a text of so many bytes on a disk with so many free. */
async function large(
  t: Parameters<typeof temporary>[0],
  args: string[],
  more: WorldOptions = {},
  bytes = 70_000,
) {
  const file = join(temporary(t), 'a.txt')
  writeFileSync(file, 'x'.repeat(bytes))
  return execute({ args: ['search', file, ...args], files: { statfs }, ...more })
}

test('a search that no disk could hold is said before it begins, with the ways out', async (t) => {
  const { code, it, estimated, searched } = await large(t, [])
  t.is(code, 0)
  t.is(searched.length, 1)
  t.like(estimated[0], { probe: false })
  t.regex(it.err, /about 100,000,000,000,000 .* orthos; 46.6 GiB are free for an archive of 218 TiB/)
  t.regex(
    it.err,
    /--goal optimal .*\n +--max-dims 3 +only orthos of at most 3 dimensions: about 1,001,100,000/,
  )
  t.regex(it.err, /--shard i\/n +is no way out/)
  t.regex(it.err, /stage/)
})

test('advice names the number of shards where that is a way out', async (t) => {
  const found = expected({ bytes: exactly(2e11), orthos: exactly(1e11), wide: false })
  const file = join(temporary(t), 'a.txt')
  writeFileSync(file, 'x'.repeat(70_000))
  const { it } = await execute({ args: ['search', file], files: { statfs } }, { estimate: async () => found })
  t.regex(it.err, /--shard 1\/5 +one of 5 parts/)
})

for (const [what, args, more, bytes] of [
  ['a small text', [], {}, 60_000],
  ['a goal', ['--goal', 'optimal'], {}, 70_000],
  ['a limit', ['--max-dims', '3'], {}, 70_000],
  ['a shard', ['--shard', '1/2'], {}, 70_000],
  ['the option that turns it off', ['--no-estimate'], {}, 70_000],
  ['the variable that turns it off', [], { env: { FOLD_ESTIMATE: '0' } }, 70_000],
] as [string, string[], WorldOptions, number][]) {
  test(`nothing is estimated before a search with ${what}`, async (t) => {
    const { code, it, estimated, searched } = await large(t, args, more, bytes)
    t.is(code, 0)
    t.deepEqual([estimated.length, searched.length, it.err], [0, 1, ''])
  })
}

test('a failed estimate does not keep from searching', async (t) => {
  const directory = temporary(t)
  mkdirSync(join(directory, 'd'))
  const file = join(directory, 'a.txt')
  writeFileSync(file, 'x'.repeat(70_000))
  const { code, searched, it } = await execute({ args: ['search', file] }, { estimate: unexpected })
  t.deepEqual([code, searched.length, it.err], [0, 1, ''])
})

test('estimate tells people and scripts', async (t) => {
  const { code, it, estimated } = await execute({
    args: ['estimate', 'a.txt', '--threads', '2', '--seed', '0'],
  })
  t.is(code, 0)
  t.like(estimated[0], { threads: 2, seed: 0, probe: true })
  t.regex(it.out, /^text +a \(977 KiB, 9,000 distinct words\)\northos +about 100,000,000,000,000 \(/)
  t.regex(it.out, /the range is wide/)
  t.regex(
    it.out,
    /time +1,157 days \(289 days to 4,630 days\) here with 2 threads, at 1,000,000 orthos a second/,
  )
  t.regex(it.out, /droplet +no droplet would do/)
  t.regex(it.out, /2x2x2x2 +100,000,000,000,000/)
  const json = await execute({ args: ['estimate', 'a.txt', '--json'] })
  t.deepEqual(JSON.parse(json.it.out), expected())
  const exact = expected({ exact: true, orthos: { low: 5, likely: 5, high: 5 }, shapes: {}, wide: false })
  const counted = await execute({ args: ['estimate', 'a.txt'] }, { estimate: async () => exact })
  t.regex(counted.it.out, /orthos +5\n/)
  const endless = await execute(
    { args: ['estimate', 'a.txt'] },
    { estimate: async () => expected({ atLeast: true }) },
  )
  t.regex(endless.it.out, /orthos +more than 25,000,000,000,000, which is beyond any disk\n/)
  const droplet = { slug: 's-1vcpu-2gb', seconds: 7200, dollars: 0.04 }
  const fits = await execute({ args: ['estimate', 'a.txt'] }, { estimate: async () => expected({ droplet }) })
  t.regex(fits.it.out, /droplet +s-1vcpu-2gb: 2 h 0 min, \$0.04/)
})
