// Holding a process and the page cache it fills to a number of bytes, where the machine lets us.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A control group with a memory limit, or undefined where none can be made (no Linux, no right to). `wrap` turns a command
 * into one that runs in it. Page cache counts, so a database that lets the system cache its file is held to the same memory
 * as one that caches for itself.
 */
export function memoryLimit(bytes) {
  for (const { parent, file } of candidates()) {
    const group = join(parent, `fold-bench-${process.pid}-${bytes}`)
    try {
      mkdirSync(group)
    } catch {
      continue
    }
    try {
      writeFileSync(join(group, file), `${bytes}`)
      return {
        wrap: (command, args) => [
          '/bin/sh',
          ['-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group, command, ...args],
        ],
        remove: () => remove(group),
      }
    } catch {
      remove(group)
    }
  }
  return undefined
}

function* candidates() {
  let groups = ''
  try {
    groups = readFileSync('/proc/self/cgroup', 'utf8')
  } catch {
    return
  }
  const first = /^\d+:memory:(.*)$/m.exec(groups)?.[1]
  if (first !== undefined) {
    for (const own of [first, '/']) {
      yield { parent: join('/sys/fs/cgroup/memory', own), file: 'memory.limit_in_bytes' }
    }
  }
  const second = /^0::(.*)$/m.exec(groups)?.[1]
  if (second !== undefined) yield { parent: join('/sys/fs/cgroup', second), file: 'memory.max' }
}

function remove(group) {
  try {
    rmdirSync(group)
  } catch {
    // Something in it has not ended yet; an empty group costs nothing.
  }
}
