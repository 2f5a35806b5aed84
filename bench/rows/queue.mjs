import { duration, median } from '../lib/measure.mjs'

/** DiskBackedQueue against one file written from end to end and read again, each with one fsync. */
export async function* queue(tools) {
  const binary = tools.peer('queue')
  const { stdout } = await tools.run(binary, [tools.quick ? '256' : '512', `${tools.times(7, 3)}`])
  const runs = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const record of new Set(runs.map((run) => run.record))) {
    const its = runs.filter((run) => run.record === record)
    const ours = its.map((run) => run.write_s + run.read_s)
    const theirs = its.map((run) => run.plain_write_s + run.plain_read_s)
    const part = (name) => median(its.map((run) => run[name])).toFixed(2)
    yield {
      what: `DiskBackedQueue, ${its[0].mib} MiB of ${record}-byte records, in and out`,
      ours: duration(ours),
      theirs: `one plain file: ${duration(theirs)}`,
      // Each round is A then B, so the ratio of a round is fairer than that of two medians.
      ratio: median(its.map((run) => run.ratio)),
      target: { atLeast: 0.7 },
      note: `writing ${part('write_ratio')}, reading ${part('read_ratio')}`,
      seconds: ours,
      theirSeconds: theirs,
    }
  }
}
