/** A world for tests: real files, everything else under the test's control. */
import { mkdtempSync, rmSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ExecutionContext } from 'ava'
import { machine, type Effects, type Files, type StopSignal } from '../../src/effects.js'

/** The effects of a pretended process, and what it did. */
export interface World extends Effects {
  out: string
  err: string
  exited: number | undefined
  clock: number
  /** Sends the pretended process a signal. */
  send(signal: StopSignal): void
}

export interface WorldOptions {
  args?: string[]
  env?: Record<string, string>
  stdin?: string
  terminal?: boolean
  columns?: number
  rows?: number
  files?: Partial<Files>
  memory?: number
  execute?: Effects['execute']
}

export function world(options: WorldOptions = {}): World {
  const listeners = new Set<(signal: StopSignal) => void>()
  const sink = (name: 'out' | 'err') => ({
    isTerminal: options.terminal ?? false,
    columns: options.columns ?? 80,
    rows: options.rows ?? 24,
    write: async (chunk: string | Uint8Array) => {
      it[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    },
  })
  const it: World = {
    out: '',
    err: '',
    exited: undefined,
    clock: 0,
    args: options.args ?? [],
    env: options.env ?? {},
    stdin: Readable.from([Buffer.from(options.stdin ?? '')]),
    stdout: sink('out'),
    stderr: sink('err'),
    files: { ...fs, ...options.files },
    now: () => it.clock,
    time: () => it.clock + 1_700_000_000_000,
    random: () => 0,
    sleep: async (milliseconds) => {
      it.clock += milliseconds
    },
    pid: 1234,
    isRunning: () => false,
    execute: options.execute ?? (() => Promise.reject(systemError('ENOENT'))),
    every: () => () => undefined,
    uniqueId: machine.uniqueId,
    machineMemory: async () => options.memory ?? 8 * 2 ** 30,
    memoryUsed: () => 100 * 2 ** 20,
    processors: async () => 2,
    scratch: async () => tmpdir(),
    onStop(call) {
      listeners.add(call)
      return () => listeners.delete(call)
    },
    send: (signal) => listeners.forEach((call) => call(signal)),
    setExitCode: (code) => (it.exited = code),
    exit: (code) => (it.exited = code),
  }
  return it
}

/** A directory of its own, removed after the test. */
export function temporary(t: ExecutionContext<unknown>): string {
  const path = mkdtempSync(join(tmpdir(), 'fold-worker-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An error as Node's file functions raise it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: pretended`), { code, syscall: 'pretended' })
}
