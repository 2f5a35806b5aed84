/**
 * Everything the command line takes from the world or does to it, behind one interface: arguments,
 * environment, clock, terminal, signals, files. No other module of `src/` touches `process`, so a test puts
 * another {@link Effects} in its place and needs no child process.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { usesMusl } from './machine/libc.js'

/** A place to write text to: a terminal, a pipe or a file. */
export interface Sink {
  /** Whether a person is looking. */
  readonly isTerminal: boolean
  /** Width of the terminal in columns. */
  readonly columns: number
  /** Its height in lines. */
  readonly rows: number
  /**
   * Writes, and resolves when the reader has taken enough for more to make sense.
   * Rejects with the stream's error: `EPIPE` when the reader has gone.
   */
  write(chunk: string | Uint8Array): Promise<void>
}

/** The file operations in use, so that a test can make one of them fail. */
export type Files = Pick<
  typeof fs,
  | 'lstat'
  | 'stat'
  | 'statfs'
  | 'readdir'
  | 'readFile'
  | 'writeFile'
  | 'open'
  | 'mkdir'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'rmdir'
  | 'utimes'
  | 'rm'
  | 'realpath'
>

/** The signals that end a run early. */
export type StopSignal = 'SIGINT' | 'SIGTERM'

/** What the program asks about the machine that it runs on. */
export interface Machine {
  readonly files: Files
  /** 16 hex digits that nobody has used before. */
  uniqueId(): string
  /** Bytes of memory that the machine has. */
  machineMemory(): Promise<number>
  /** Bytes of memory that this process has now. */
  memoryUsed(): number
  /** Number of processors that this process may use. */
  processors(): Promise<number>
  /** A directory for temporary files. */
  scratch(): Promise<string>
}

/** What decides which build of the native part fits. */
export interface Host {
  /** As Node names them, such as `linux` and `x64`. */
  readonly platform: string
  readonly arch: string
  /** Whether Node itself is linked with musl. */
  usesMusl(): boolean
}

/** Time and chance. */
export interface Clock {
  /** Milliseconds of a clock that never goes backwards. */
  now(): number
  /** Milliseconds since 1970. */
  time(): number
  /** From 0 up to 1. */
  random(): number
  /** See {@link every}. */
  every(milliseconds: number, call: () => void): () => void
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

/** How another program ended. */
export interface Ran {
  code: number
  out: string
  err: string
}

/** The world as the program sees it. */
export interface Effects extends Machine, Clock {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable
  readonly stdout: Sink
  readonly stderr: Sink
  /** This process. */
  readonly pid: number
  /** Whether there is a process of this number. */
  isRunning(pid: number): boolean
  /** Runs another program to its end, giving it `input`; rejects with `ENOENT` if there is no such program. */
  execute(program: string, args: readonly string[], input?: string): Promise<Ran>
  /** Calls back on each signal until the returned function is called. */
  onStop(call: (signal: StopSignal) => void): () => void
  /** What the process exits with when it has nothing left to do. */
  setExitCode(code: number): void
  /** Ends the process at once. */
  exit(code: number): void
}

const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM']

function sink(stream: NodeJS.WriteStream): Sink {
  // Errors arrive as events and after the write that caused them: remember the first for the writes to come,
  // and have a listener so that a closed pipe does not crash the process.
  let failure: Error | undefined
  stream.on('error', (error: Error) => (failure ??= error))
  return {
    get isTerminal() {
      return stream.isTTY === true
    },
    get columns() {
      return stream.columns || 80
    },
    get rows() {
      return stream.rows || 24
    },
    write(chunk) {
      return new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        const roomLeft = stream.write(chunk, (error) => (error ? reject(error) : resolve()))
        if (roomLeft) resolve()
        return undefined
      })
    },
  }
}

/** Calls back every so many milliseconds until the returned function is called; does not keep the process alive. */
export function every(milliseconds: number, call: () => void): () => void {
  const timer = setInterval(call, milliseconds)
  timer.unref()
  return () => clearInterval(timer)
}

async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, signal && { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error
  })
}

/** The clock of this process, and chance. */
export const clock: Clock = {
  now: () => performance.now(),
  time: () => Date.now(),
  random: () => Math.random(),
  every,
  sleep,
}

/** The machine itself. */
export const machine: Machine = {
  files: fs,
  uniqueId: () => randomBytes(8).toString('hex'),
  async machineMemory() {
    const { totalmem } = await import('node:os')
    return totalmem()
  },
  memoryUsed: () => process.memoryUsage.rss(),
  async processors() {
    const { availableParallelism } = await import('node:os')
    return availableParallelism()
  },
  async scratch() {
    const { tmpdir } = await import('node:os')
    return tmpdir()
  },
}

/** This process, for choosing the native part. */
export const host: Host = {
  platform: process.platform,
  arch: process.arch,
  usesMusl: () => usesMusl(process.execPath),
}

/** The real world. */
export function realEffects(): Effects {
  return {
    args: process.argv.slice(2),
    // oxlint-disable-next-line node/no-process-env -- the one place that may
    env: process.env,
    stdin: process.stdin,
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    ...machine,
    ...clock,
    pid: process.pid,
    isRunning(pid) {
      try {
        return process.kill(pid, 0) && !isZombie(pid)
      } catch (error) {
        // It may be somebody else's.
        return (error as NodeJS.ErrnoException).code === 'EPERM'
      }
    },
    execute,
    onStop(call) {
      for (const signal of SIGNALS) process.on(signal, call)
      return () => {
        for (const signal of SIGNALS) process.off(signal, call)
      }
    },
    setExitCode(code) {
      process.exitCode = code
    },
    // oxlint-disable-next-line no-process-exit -- the one place that may
    exit: (code) => process.exit(code),
  }
}

/** Whether a process has ended and only its number is left, as where nobody waits for it. Linux alone tells. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

async function execute(program: string, args: readonly string[], input = ''): Promise<Ran> {
  const { spawn } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const ran: Ran = { code: 1, out: '', err: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.err += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...ran, code: code ?? 1 }))
    // It need not read what it is given.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
