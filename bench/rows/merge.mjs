import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alternate, duration, mebibytes, median } from '../lib/measure.mjs'

/** A merge of two archives against a search of both texts together, the archives of the parts being there already. */
export async function* merge(tools) {
  yield* pair(tools, 'two halves of novel-32000', halves(text(tools, 'novel-32000'), 16_000), 5, 1.1)
  yield* pair(tools, 'two halves of novel-64000', halves(text(tools, 'novel-64000'), 32_000), 3, 1.1)
  for (const last of [2_000, 500]) {
    const parts = halves(text(tools, 'novel-64000'), 64_000 - last)
    yield* pair(tools, `novel-64000 without its last ${last} bytes, and those`, parts, 3, 1.1)
  }
  for (const name of ['novel-32000', 'novel-64000']) {
    const one = text(tools, name)
    yield* pair(tools, `${name} and the same in other words`, [one, inOtherWords(one)], 3, 0.6)
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
      tools.times(times),
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
