import test from 'ava'
import { limitOptions, shardOption } from '../../src/commands/options.js'
import { parseDuration } from '../../src/machine/duration.js'

test('times', (t) => {
  const times = ['90s', '10m', '2h', '1h30m', '1.5h', '500ms', '1d', ' 2 min ']
  t.deepEqual(times.map(parseDuration), [90, 600, 7200, 5400, 5400, 0.5, 86_400, 120])
  for (const text of ['', '10', '-1s', '0s', '1x', 's', '1s2', '1e3s', 'ten minutes']) {
    t.throws(() => parseDuration(text), { code: 'INVALID_ARGUMENT' }, text)
  }
})

test('shards', (t) => {
  t.is(shardOption(undefined), undefined)
  t.deepEqual(shardOption('3/8'), { index: 3, count: 8 })
  t.deepEqual(shardOption('1/1'), { index: 1, count: 1 })
  for (const text of ['', '0/8', '9/8', '1', '1/0', '-1/2', '1/2/3', '1.5/2']) {
    t.throws(() => shardOption(text), { code: 'INVALID_ARGUMENT' }, text)
  }
})

test('limits', (t) => {
  const none = {
    maxOrthos: undefined,
    maxTime: undefined,
    maxDisk: undefined,
    diskReserve: undefined,
    maxDims: undefined,
  }
  t.deepEqual(limitOptions(none), {})
  t.deepEqual(
    limitOptions({ ...none, maxOrthos: '5', maxTime: '1m', maxDisk: '1G', diskReserve: '0', maxDims: '3' }),
    {
      maxOrthos: 5,
      maxTime: 60,
      maxDisk: 2 ** 30,
      diskReserve: 0,
      maxDims: 3,
    },
  )
  for (const wrong of [{ maxOrthos: '0' }, { maxTime: '5' }, { maxDisk: 'much' }, { maxDims: '1' }]) {
    t.throws(() => limitOptions({ ...none, ...wrong }), { code: 'INVALID_ARGUMENT' })
  }
})
