import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { Serial } from '../src/serial.js'

test('calls run one after the other, also behind one that fails', async (t) => {
  const serial = new Serial()
  const seen: string[] = []
  const call = (name: string, milliseconds: number) =>
    serial.run(async () => {
      seen.push(`${name} begins`)
      await sleep(milliseconds)
      seen.push(`${name} ends`)
      if (name === 'b') throw new Error(name)
      return name
    })
  const results = await Promise.allSettled([call('a', 20), call('b', 1), call('c', 0)])
  t.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})
