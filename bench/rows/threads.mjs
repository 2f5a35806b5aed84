import { alternate, duration, median } from '../lib/measure.mjs'
import { searchOnce } from '../lib/search.mjs'

/** What a second thread is worth. */
export async function* threads(tools) {
  const text = 'novel-64000'
  const [two, one] = await alternate(
    tools.times(3),
    async () => (await searchOnce(tools, text, 2)).seconds,
    async () => (await searchOnce(tools, text, 1)).seconds,
  )
  yield {
    what: `search of ${text}, 2 threads`,
    ours: duration(two),
    theirs: `1 thread: ${duration(one)}`,
    ratio: median(one) / median(two),
    target: { atLeast: 1.7 },
    seconds: two,
    theirSeconds: one,
  }
}
