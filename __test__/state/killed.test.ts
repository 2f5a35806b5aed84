/**
 * Many runs on one state directory, each step of which may be its last, or be followed by a sleep through which others
 * take its work over: every text ends in exactly one place, and all of them in the archive that is left.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { machine, type Clock, type Files } from '../../src/effects.js'
import { StateDirectory } from '../../src/state/directory.js'
import { runLocal, type LocalOptions, type LocalWork } from '../../src/state/local.js'
import { pretended, readArchive } from '../support/archives.js'

/** What the operations of a process that is dead do: nothing, ever. */
const never = new Promise<never>(() => undefined)

/** Lets one of the waiting operations go at a time, chosen by numbers from outside. */
class Scheduler {
  readonly #choices: readonly number[]
  #at = 0
  #waiting: (() => void)[] = []
  #running = false

  constructor(choices: readonly number[]) {
    this.#choices = choices
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#running) return
      this.#running = true
      setImmediate(() => this.#next())
    })
  }

  choose(below: number): number {
    const choice = this.#choices[this.#at % this.#choices.length] ?? 0
    this.#at += 1
    return (choice + Math.floor(this.#at / this.#choices.length)) % below
  }

  #next(): void {
    const [go] = this.#waiting.splice(this.choose(this.#waiting.length), 1)
    go?.()
    this.#running = this.#waiting.length > 0
    if (this.#running) setImmediate(() => this.#next())
  }
}

/** A process: its effects take turns with the others', and end or pause after so many. */
class Process {
  alive = true
  #left: number
  readonly #pauses: ReadonlySet<number>
  readonly #scheduler: Scheduler
  #steps = 0
  readonly files: Files

  constructor(scheduler: Scheduler, dies: number, pauses: readonly number[]) {
    this.#scheduler = scheduler
    this.#left = dies
    this.#pauses = new Set(pauses)
    const wrapped = [
      'lstat',
      'readdir',
      'readFile',
      'writeFile',
      'open',
      'mkdir',
      'rename',
      'link',
      'unlink',
    ] as const
    const more = ['rmdir', 'utimes'] as const
    const files: Record<string, unknown> = { ...fs }
    for (const name of [...wrapped, ...more]) {
      files[name] = async (...parts: unknown[]) => {
        await this.step()
        return (fs[name] as (...all: unknown[]) => Promise<unknown>)(...parts)
      }
    }
    // A removal is many steps: what is removed may be left half removed.
    files['rm'] = async (path: string, options: { recursive?: boolean }) => {
      await this.step()
      if (options.recursive && existsSync(path)) {
        for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
          if (!entry.isFile()) continue
          await this.step()
          rmSync(join(entry.parentPath, entry.name), { force: true })
        }
      }
      await fs.rm(path, { force: true, ...options })
    }
    this.files = files as unknown as Files
  }

  async step(): Promise<void> {
    this.#steps += 1
    this.#left -= 1
    if (this.#left < 0) this.alive = false
    if (!this.alive) await never
    const turns = this.#pauses.has(this.#steps) ? 150 : 1
    for (let i = 0; i < turns; i += 1) await this.#scheduler.turn()
  }

  /** Time passes by turns. */
  get clock(): Clock {
    return {
      time: () => 0,
      random: () => 0,
      now: () => this.#steps,
      every: () => () => undefined,
      sleep: async () => {
        for (let i = 0; i < 5; i += 1) await this.step()
      },
    }
  }

  /** The operations, each with steps before, within and after. */
  get operations(): LocalWork {
    const around = async <T>(run: () => Promise<T>): Promise<T> => {
      await this.step()
      const result = await run()
      await this.step()
      return result
    }
    return {
      search: (source, out, signal) => around(() => pretended.search(source, out, signal)),
      merge: (archives, out, signal) => around(() => pretended.merge(archives, out, signal)),
      summarise: (path) => pretended.summarise(path),
      check: (path, signal) => pretended.check(path, signal),
    }
  }
}

const DEFAULTS = { staleAfter: 1000, onEvent: async () => undefined }

interface Plan {
  texts: number
  processes: { dies: number; pauses: number[] }[]
  /** Of so many looks at living work one takes it for left. */
  jumpy: number
  choices: number[]
  mergeAll: boolean
}

const plans: fc.Arbitrary<Plan> = fc.record({
  texts: fc.integer({ min: 1, max: 5 }),
  processes: fc.array(
    fc.record({
      dies: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constant(100_000)),
      pauses: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  jumpy: fc.constantFrom(0, 0, 20, 4),
  choices: fc.array(fc.nat(7), { minLength: 1, maxLength: 64 }),
  mergeAll: fc.boolean(),
})

/** Runs the processes until each has ended or is dead; then one more, undisturbed. */
async function play(path: string, { texts, processes, jumpy, choices, mergeAll }: Plan): Promise<void> {
  mkdirSync(join(path, 'input'))
  for (let i = 0; i < texts; i += 1) writeFileSync(join(path, 'input', `t${i}.txt`), `text ${i}`)
  const scheduler = new Scheduler(choices)
  const owners = new Map<string, Process>()
  let looks = 0
  const runs = processes.map(async ({ dies, pauses }) => {
    const process = new Process(scheduler, dies, pauses)
    const state = new StateDirectory(path, { files: process.files, uniqueId: machine.uniqueId })
    owners.set(state.owner, process)
    const watch: LocalOptions['watch'] = {
      stale: async (parent, directories) => {
        await process.step()
        const stale = directories.filter((directory) => {
          looks += 1
          if (jumpy > 0 && looks % jumpy === 0) return true
          return !ownerIn(join(parent, directory), owners)?.alive
        })
        return new Set(stale)
      },
    }
    const options = { ...DEFAULTS, ...process.operations, clock: process.clock, mergeAll, watch }
    await Promise.race([runLocal(state, options), died(process)])
  })
  try {
    await Promise.all(runs)
  } finally {
    for (const process of owners.values()) process.alive = false
  }
  const all = { stale: async (_parent: string, directories: readonly string[]) => new Set(directories) }
  const last = new Process(new Scheduler([0]), 1e9, [])
  const state = new StateDirectory(path, machine)
  const options = { ...DEFAULTS, ...pretended, clock: last.clock, mergeAll, watch: all }
  await runLocal(state, options)
}

/** Resolves once the process is dead. */
async function died(process: Process): Promise<void> {
  while (process.alive) await new Promise((resolve) => void setImmediate(resolve))
}

function ownerIn(directory: string, owners: ReadonlyMap<string, Process>): Process | undefined {
  try {
    const [owner] = readFileSync(join(directory, 'heartbeat'), 'utf8').split(' ')
    return owners.get(owner ?? '')
  } catch {
    return undefined
  }
}

test('whatever is killed or taken over, each text is done once and nothing is lost', async (t) => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const path = mkdtempSync(join(tmpdir(), 'fold-worker-killed-'))
      try {
        await play(path, plan)
        const expected = Array.from({ length: plan.texts }, (_, i) => `text ${i}`)
        t.deepEqual(readdirSync(join(path, 'in_process')), [])
        const done = readdirSync(join(path, 'done')).sort()
        t.deepEqual(
          done,
          expected.map((_, i) => `t${i}.txt`),
        )
        t.deepEqual(
          done.map((name) => readFileSync(join(path, 'done', name), 'utf8')),
          expected,
        )
        const archives = readdirSync(join(path, 'input')).sort()
        t.is(archives.length, plan.mergeAll ? 1 : plan.texts, archives.join())
        t.deepEqual(archives.flatMap((name) => readArchive(join(path, 'input', name)).texts).sort(), expected)
      } finally {
        rmSync(path, { recursive: true, force: true })
      }
    }),
    {
      numRuns: Number(process.env['FOLD_KILL_CASES'] ?? 40),
      endOnFailure: true,
      includeErrorInReport: true,
      ...(process.env['FOLD_KILL_SEED'] && { seed: Number(process.env['FOLD_KILL_SEED']) }),
    },
  )
})
