// Running children and looking at what they took.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const GNU_TIME = ['/usr/bin/time', '/usr/local/bin/gtime', '/opt/homebrew/bin/gtime'].find(
  (path) => existsSync(path) && spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.includes('GNU'),
)

/** Process groups that run now; none of them outlives this program. */
const running = new Set()
process.on('exit', () => running.forEach((child) => endGroup(child)))

/**
 * Runs a command to its end. Answers its wall-clock and processor seconds, its greatest resident memory in bytes and its
 * output; a failure is an error with the end of what it said. Memory comes from GNU time, which asks the kernel at the
 * child's end, or else from the high-water mark that Linux shows while it runs.
 */
export async function run(command, args, { env = {}, cwd, scratch, limit = 900 } = {}) {
  const report = join(scratch, `time-${process.pid}-${Math.random().toString(36).slice(2)}`)
  const timed =
    GNU_TIME === undefined ? [command, args] : [GNU_TIME, ['-o', report, '-f', '%U %S %M', command, ...args]]
  const started = process.hrtime.bigint()
  const child = spawn(...timed, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  running.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  let peak = 0
  const look = () => (peak = Math.max(peak, highWater(child.pid)))
  const watch = GNU_TIME === undefined ? setInterval(look, 20) : undefined
  let late = false
  const alarm = setTimeout(() => {
    late = true
    endGroup(child)
  }, limit * 1000)
  let wall = 0
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', () => (wall = Number(process.hrtime.bigint() - started) / 1e9))
    child.on('close', resolve)
  }).finally(() => {
    running.delete(child)
    clearInterval(watch)
    clearTimeout(alarm)
  })
  if (late) throw new Error(`not done after ${limit} s`)
  if (code !== 0) {
    throw new Error(`${command} ended with ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`)
  }
  let cpu
  if (GNU_TIME !== undefined) {
    const [user, system, kilobytes] = readFileSync(report, 'utf8').trim().split(' ').map(Number)
    rmSync(report)
    cpu = user + system
    peak = kilobytes * 1024
  }
  return { seconds: wall, cpu, peak: peak || undefined, stdout, stderr }
}

function endGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function highWater(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Runs things in turn, A B A B, so that a busy minute falls on both. Answers the results of each. */
export async function alternate(times, ...things) {
  const results = things.map(() => [])
  for (let round = 0; round < times; round += 1)
    for (const [at, thing] of things.entries()) results[at].push(await thing())
  return results
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** `1.23 s (1.20-1.31)`: the median, the least and the most. */
export function duration(numbers) {
  const [unit, factor] = median(numbers) < 1 ? ['ms', 1000] : ['s', 1]
  const show = (number) => (number * factor).toFixed(number * factor < 10 ? 2 : 1)
  const range = numbers.length > 1 ? ` (${show(Math.min(...numbers))}-${show(Math.max(...numbers))})` : ''
  return `${show(median(numbers))} ${unit}${range}`
}

export function mebibytes(bytes) {
  return bytes === undefined ? 'memory unknown' : `${(bytes / 2 ** 20).toFixed(0)} MiB`
}
