/** Runs the built program in a process of its own. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** The built command. */
export const BIN = resolve('dist/bin.cjs')
/** Written by the process itself as it ends, so that it is the peak of this one process. */
const PEAK = /peak-memory-kib=(\d+)/
const TELL_PEAK =
  'data:text/javascript,process.on("exit",()=>console.error("peak-memory-kib="+process.resourceUsage().maxRSS))'

/** The texts and the oracle that issues share; not part of the repository. */
export const SHARED = resolve(process.env['FOLD_SHARED'] ?? '../shared')
export const hasShared = existsSync(SHARED)

export interface Outcome {
  code: number | null
  out: string
  err: string
  /** Peak resident memory in bytes. */
  peak: number
}

export interface RunOptions {
  cwd?: string
  input?: string | Uint8Array
  env?: Record<string, string>
}

/** Runs to the end. */
export function foldWorker(args: string[], { cwd, input, env }: RunOptions = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', TELL_PEAK, BIN, ...args], {
    cwd,
    input,
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 30,
  })
  const err = stderr.toString()
  const peak = Number(PEAK.exec(err)?.[1] ?? 0) * 1024
  return { code: status, out: stdout.toString(), err: err.replace(PEAK, '').trim(), peak }
}

/** Starts without waiting. */
export function startFoldWorker(args: string[], cwd?: string) {
  return spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** A shell command with the program as `"$NODE" "$BIN"`. */
export function shell(command: string, env: Record<string, string> = {}): Outcome {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    env: { ...process.env, NODE: process.execPath, BIN, ...env },
    maxBuffer: 2 ** 30,
  })
  return { code: status, out: stdout.toString(), err: stderr.toString().trim(), peak: 0 }
}

/** For each text the oracle's list of all orthos, sorted. One process for all: its start costs more than most texts. */
export function oracle(texts: readonly string[]): string[][] {
  const driver = `
import json, sys
sys.path.insert(0, sys.argv[1])
from brute_force import search
sets = [search(text) for text in json.load(sys.stdin)]
json.dump([["x".join(map(str, s)) + "\\t" + " ".join(w) for s, w in found] for found in sets], sys.stdout)`
  const lists = execFileSync('python3', ['-c', driver, resolve(SHARED, 'oracle')], {
    input: JSON.stringify(texts),
    maxBuffer: 2 ** 30,
  })
  return (JSON.parse(lists.toString()) as string[][]).map((list) => list.sort())
}

/** Whether Python is there to run the oracle. */
export const hasPython = spawnSync('python3', ['--version']).status === 0

export function sortedLines(text: string): string[] {
  return text.split('\n').filter(Boolean).sort()
}

/** Whether this user may mount file systems of his own, which tests of full and read-only disks need. */
export const canMount = shell('unshare -rm mount -t tmpfs none /mnt').code === 0
