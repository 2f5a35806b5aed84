import test from 'ava'
import type { Files } from '../../src/effects.js'
import { LEAST_CORE_MEMORY, NODE_MEMORY, coreMemory, defaultMemory } from '../../src/machine/memory.js'
import { systemError } from '../support/world.js'

const GIB = 2 ** 30

function machine(files: Record<string, string>, memory = 16 * GIB) {
  const readFile = async (path: string) => {
    const text = files[path]
    if (text === undefined) throw systemError('ENOENT')
    return text
  }
  return { machineMemory: async () => memory, files: { readFile } as unknown as Files }
}

test('without a control group, half of the machine', async (t) => {
  t.is(await defaultMemory(machine({})), 8 * GIB)
})

test('version 2: the least limit of the group and those above it', async (t) => {
  const files = {
    '/proc/self/cgroup': '0::/user.slice/job.scope\n',
    '/sys/fs/cgroup/user.slice/job.scope/memory.max': 'max\n',
    '/sys/fs/cgroup/user.slice/memory.max': `${GIB}\n`,
  }
  t.is(await defaultMemory(machine(files)), GIB / 2)
})

test('version 2 in a container, where the group is the root', async (t) => {
  const files = { '/proc/self/cgroup': '0::/../..\n', '/sys/fs/cgroup/memory.max': `${2 * GIB}\n` }
  t.is(await defaultMemory(machine(files)), GIB)
})

test('version 1: the memory controller alone counts', async (t) => {
  const files = {
    '/proc/self/cgroup': '5:cpu,cpuacct:/a\n4:memory:/docker/b\n',
    '/sys/fs/cgroup/memory/docker/b/memory.limit_in_bytes': `${GIB}\n`,
    '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': '4096\n',
  }
  t.is(await defaultMemory(machine(files)), GIB / 2)
})

test('version 1 without a limit writes a number beyond any memory', async (t) => {
  const files = {
    '/proc/self/cgroup': '4:memory:/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  }
  t.is(await defaultMemory(machine(files)), 8 * GIB)
})

test('an empty or odd limit file sets no limit', async (t) => {
  const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '\n' }
  t.is(await defaultMemory(machine(files)), 8 * GIB)
})

test('the core gets the budget less what Node takes', (t) => {
  t.is(coreMemory(256 * 2 ** 20), 256 * 2 ** 20 - NODE_MEMORY)
})

test('a budget that Node alone fills is refused, with the least that works', (t) => {
  const least = NODE_MEMORY + LEAST_CORE_MEMORY
  t.is(coreMemory(least), LEAST_CORE_MEMORY)
  t.throws(() => coreMemory(least - 1), { code: 'MEMORY_TOO_SMALL', message: /at least 88 MiB/ })
})
