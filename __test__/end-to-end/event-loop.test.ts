/** The library beside other work of the same process. A file of its own, as tests of one file share their event loop. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { search } from '../../src/index.js'
import { endless } from '../support/texts.js'
import { temporary } from '../support/world.js'

test('a search stops within a second, leaves nothing, and never blocks the event loop', async (t) => {
  const directory = temporary(t)
  const stop = new AbortController()
  const phases = new Set<string>()
  let longest = 0
  let last = performance.now()
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 5)
  let stopped = 0
  setTimeout(() => {
    stopped = performance.now()
    stop.abort()
  }, 1500)
  await t.throwsAsync(
    search(
      { text: endless(60), name: 'endless' },
      {
        out: join(directory, 'a.bin'),
        threads: 1,
        memory: 256 * 2 ** 20,
        signal: stop.signal,
        onProgress: ({ phase }) => phases.add(phase),
      },
    ),
    { code: 'CANCELLED' },
  )
  clearInterval(beat)
  t.true(performance.now() - stopped < 1000)
  t.true(phases.has('search'))
  // A few milliseconds are the aim; other processes of the test run need their share of the machine too.
  t.true(longest < 500, `the event loop was held for ${longest} ms`)
  t.deepEqual(readdirSync(directory), [])
})
