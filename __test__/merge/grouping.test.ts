import test from 'ava'
import fc from 'fast-check'
import { contradict, groupByInput, shardsOf, unite } from '../../src/merge/grouping.js'
import { outputPaths } from '../../src/merge/outputs.js'
import { chooseArchives, setApart, type Candidate } from '../../src/merge/pairs.js'
import type { ArchiveSummary, Limit } from '../../src/manifest.js'
import { optimum, summary } from '../support/summaries.js'

function of(name: string, sha256: string, changes: Partial<ArchiveSummary> = {}): ArchiveSummary {
  return summary({ input: { name, sha256, bytes: 1 }, ...changes })
}

const groupsOf = (...archives: ArchiveSummary[]) =>
  groupByInput(archives).groups.map((group) => ({
    archives: group.archives.map(({ archive }) => archive),
    complete: group.complete,
    missing: group.missingShards,
  }))

test('of one text equal contents are one, and a complete archive is enough', (t) => {
  t.deepEqual(groupsOf(of('a', '1', { archive: 'x' }), of('a', '1', { archive: 'y' })), [
    { archives: ['x'], complete: true, missing: [] },
  ])
  const part = { complete: false, limits: [{ name: 'maxOrthos' as const, value: 1 }] }
  t.deepEqual(
    groupsOf(of('a', '1', { ...part, archive: 'x', contentDigest: 'less' }), of('a', '1', { archive: 'y' })),
    [{ archives: ['y'], complete: true, missing: [] }],
  )
  t.deepEqual(
    groupsOf(
      of('a', '1', { ...part, archive: 'x', contentDigest: '1' }),
      of('a', '1', { ...part, archive: 'y', contentDigest: '2' }),
      of('a', '1', { ...part, archive: 'z', contentDigest: '1' }),
    ),
    [{ archives: ['x', 'y'], complete: false, missing: [] }],
  )
})

const shard = (...shards: string[]) =>
  of('a', '1', { complete: false, shards, archive: shards.join(), contentDigest: 'none found' })

test('shards are united; missing ones are named; equal contents of two shards are both kept', (t) => {
  t.deepEqual(groupsOf(shard('1/3'), shard('3/3')), [
    { archives: ['1/3', '3/3'], complete: false, missing: ['2/3'] },
  ])
  t.deepEqual(groupsOf(shard('1/3', '2/3'), shard('3/3')), [
    { archives: ['1/3,2/3', '3/3'], complete: true, missing: [] },
  ])
})

test('the nearest division counts, however many there are', (t) => {
  t.deepEqual(shardsOf([{ shards: ['1/9', '2/3'] }, { shards: ['1/3'] }]), { whole: false, missing: ['3/3'] })
  t.deepEqual(shardsOf([{ shards: ['nonsense', '5/2', '0/1'] }]), { whole: false, missing: [] })
  t.is(shardsOf([{ shards: ['1/999999999'] }]).missing.length, 10_000)
})

test('different texts of one name are two groups and a conflict', (t) => {
  const { groups, conflicts, others } = groupByInput([
    of('a', '1', { archive: 'x' }),
    of('a', '2', { archive: 'y' }),
    of('b', '1'),
    summary({ input: null, archive: 'm' }),
  ])
  t.is(groups.length, 3)
  t.deepEqual(conflicts, [
    {
      name: 'a',
      texts: [
        { sha256: '1', archives: ['x'] },
        { sha256: '2', archives: ['y'] },
      ],
    },
  ])
  t.deepEqual(
    others.map(({ archive }) => archive),
    ['m'],
  )
})

test('texts contradict only where both are known', (t) => {
  t.is(contradict([{ name: 'a', sha256: '1' }], [{ name: 'a', sha256: '2' }]), 'a')
  t.is(contradict([{ name: 'a', sha256: '1' }], [{ name: 'a' }]), undefined)
  t.is(contradict([{ name: 'a' }], [{ name: 'a', sha256: '1' }]), undefined)
  t.deepEqual(unite([[{ name: 'a', sha256: '1' }], [{ name: 'a', sha256: '1' }, { name: 'b' }]]), [
    { name: 'a', sha256: '1' },
    { name: 'b' },
  ])
})

const paths = (...names: [string, string][]) =>
  outputPaths(groupByInput(names.map(([name, sha]) => of(name, sha))).groups)

test('output names stay inside the directory and differ', (t) => {
  t.deepEqual(paths(['a', '1'], ['folder/b c', '1']), ['a.bin', 'folder/b c.bin'])
  t.deepEqual(paths(['a', '1234567890123'], ['a', '2'], ['A', '3']), [
    'A-3.bin',
    'a-123456789012.bin',
    'a-2.bin',
  ])
  t.deepEqual(paths(['../../etc/passwd', '1']), ['%2E./%2E./etc/passwd.bin'])
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1 }), (names) => {
      for (const path of paths(...names.map((name): [string, string] => [name, '1']))) {
        t.false(path.startsWith('/'))
        t.false(/[\\\0]/.test(path))
        t.true(path.split('/').every((part) => !/^\.*$/.test(part) && Buffer.byteLength(part) < 255))
      }
    }),
  )
})

function candidate(name: string, changes: Partial<ArchiveSummary> = {}): Candidate {
  const inputs = changes.input ? [changes.input] : [{ name, sha256: name }]
  return { name, summary: summary({ input: null, ...changes }), inputs }
}

const chosen = (choice: ReturnType<typeof chooseArchives>) =>
  choice && [choice.first, ...choice.partners].map(({ name }) => name)

test('small ones go together first, more at once when there are enough for all', (t) => {
  const all = [9, 1, 5, 3].map((bytes) => candidate(`${bytes}`, { bytes }))
  t.deepEqual(chosen(chooseArchives(all, 3)), ['1', '3', '5', '9'])
  t.is(chooseArchives(all, 3)?.most, 2)
  const many = Array.from({ length: 40 }, (_, i) => candidate(`${i}`))
  t.is(chooseArchives(many, 0)?.most, 8)
  t.is(chooseArchives(many, 9)?.most, 2)
  t.is(chooseArchives(all.slice(0, 1), 0), undefined)
})

test('incomplete ones wait until nobody else works', (t) => {
  const two = [candidate('a'), candidate('b', { complete: false })]
  t.is(chooseArchives(two, 1), undefined)
  t.is(chooseArchives(two, 0)?.first.name, 'a')
})

/** Three texts under two names, as single archives and as merges of some of them. */
const anyCandidates = fc.array(
  fc.record({ names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }), version: fc.nat(1) }),
  { maxLength: 6 },
)

test('what is not set apart never contradicts', (t) => {
  fc.assert(
    fc.property(anyCandidates, (made) => {
      const candidates = made.map(({ names, version }, i) => ({
        ...candidate(`${i}`),
        inputs: names.map((name) => ({ name, sha256: `${version}` })),
      }))
      const { rest, apart } = setApart(candidates)
      for (const a of rest) for (const b of rest) t.is(contradict(a.inputs, b.inputs), undefined)
      const out = new Set(apart.flatMap(({ archives }) => archives))
      t.is(rest.length + out.size, candidates.length)
      // Each of those has a reason.
      for (const one of out) t.true(candidates.some((other) => contradict(one.inputs, other.inputs)))
    }),
  )
})

/** An archive of the best so many of one text. */
const best = (name: string, top: number, limits: Limit[] = []) => {
  const proof = { top, excluded: [], open: null, unranked: null }
  const input = { name: 'a', sha256: '1'.repeat(64), bytes: 1 }
  return optimum({ archive: name, input, limits, contentDigest: name, proof })
}

const needed = (...archives: ArchiveSummary[]) =>
  groupByInput(archives).groups.map((group) => group.archives.map(({ archive }) => archive))

test('of archives of an optimum the whole one with the most of the best is enough', (t) => {
  t.deepEqual(needed(best('one', 1), best('five', 5)), [['five']])
  t.deepEqual(needed(best('one', 1), best('five', 5, [{ name: 'maxTime', value: 1 }])), [['one', 'five']])
  t.deepEqual(needed(best('one', 1), of('a', '1'.repeat(64), { archive: 'all' })), [['all']])
})

const waiting = (name: string, its: ArchiveSummary): Candidate => ({ name, summary: its, inputs: [{ name }] })

test('archives of different goals are not paired', (t) => {
  const all = waiting('a', summary({ input: null }))
  const [one, two] = ['b', 'c'].map((name) => waiting(name, optimum({ input: null })))
  if (!one || !two) throw new Error('two were made')
  t.is(chooseArchives([all, one], 0), undefined)
  const choice = chooseArchives([all, one, two], 0)
  t.deepEqual([choice?.first.name, choice?.partners.map(({ name }) => name)], ['b', ['c']])
})
