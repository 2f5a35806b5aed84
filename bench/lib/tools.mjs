// The programs that are measured, built when they are first asked for, and the files they are given.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { run } from './measure.mjs'

export class Tools {
  root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
  shared = process.env.FOLD_SHARED ?? join(this.root, '..', 'shared')
  /** A temporary directory, removed at the end. It should be on a real disk. */
  scratch = mkdtempSync(join(tmpdir(), 'fold-bench-'))
  #built = new Map()

  constructor({ quick }) {
    this.quick = quick
  }

  /** How often something is repeated. */
  times(usually, quickly = 1) {
    return this.quick ? quickly : usually
  }

  run(command, args, options = {}) {
    return run(command, args, { scratch: this.scratch, cwd: this.scratch, ...options })
  }

  text(name) {
    const path = join(this.shared, 'texts', `${name}.txt`)
    if (!existsSync(path)) throw new Error(`${name}.txt is not in ${this.shared}; set FOLD_SHARED`)
    return path
  }

  /** The number of orthos of a text, all or of one shape. */
  expected(name, shape) {
    return readFileSync(join(this.shared, 'texts', 'expected.tsv'), 'utf8')
      .split('\n')
      .map((line) => line.split('\t'))
      .filter(([text, its]) => text === name && (shape === undefined || its === shape))
      .reduce((sum, [, , count]) => sum + Number(count), 0)
  }

  /** What a package exports that only measurements need; all of these are installed when one is first asked for. */
  async dependency(name) {
    const bench = join(this.root, 'bench')
    if (!existsSync(join(bench, 'node_modules', name))) {
      const npm = spawnSync('npm', ['install', '--no-package-lock', '--prefix', bench], {
        stdio: ['ignore', 'ignore', 'inherit'],
        shell: process.platform === 'win32',
      })
      if (npm.status !== 0) throw new Error('npm install --prefix bench failed')
    }
    const path = createRequire(join(bench, 'package.json')).resolve(name)
    return (await import(pathToFileURL(path).href)).default
  }

  /** The command line as it would be installed, if it has been built. */
  get commandLine() {
    const manifest = join(this.root, 'package.json')
    if (!existsSync(manifest)) return undefined
    const bin = JSON.parse(readFileSync(manifest, 'utf8')).bin?.['fold-worker']
    return bin !== undefined && existsSync(join(this.root, bin)) ? join(this.root, bin) : undefined
  }

  /** The search without a command line around it. */
  get orthos() {
    return this.#build(join(this.root, 'Cargo.toml'), ['--package', 'fold-core', '--example', 'orthos'])
  }

  /** Searches and merges that write archives, without a command line around them. */
  get archives() {
    return this.#build(join(this.root, 'Cargo.toml'), ['--package', 'fold-core', '--example', 'archives'])
  }

  /** The proof of the optimal ortho of a text. */
  get optimum() {
    return this.#build(join(this.root, 'Cargo.toml'), ['--package', 'fold-core', '--example', 'optimum'])
  }

  /** Estimates of the number of orthos, against that number. */
  get estimate() {
    return this.#build(join(this.root, 'Cargo.toml'), ['--package', 'fold-core', '--example', 'estimate'])
  }

  /** What measures a part of the core beside what does the same elsewhere: `seen` or `queue`. */
  peer(name) {
    return this.#build(join(this.root, 'bench', 'peers', 'Cargo.toml'), ['--bin', name])
  }

  /** `prototype`, `prototype-emit` or `prototype-optimal`; undefined where the shared directory is not at hand. */
  prototype(name) {
    const from = join(this.shared, name)
    if (!existsSync(from)) return undefined
    const to = join(this.scratch, name)
    if (!existsSync(to))
      cpSync(from, to, { recursive: true, filter: (path) => !path.includes(`${name}/target`) })
    const target = join(this.root, 'target', 'bench-prototypes')
    return this.#build(join(to, 'Cargo.toml'), ['--target-dir', target], false)
  }

  #build(manifest, args, locked = true) {
    const key = [manifest, ...args].join(' ')
    const known = this.#built.get(key)
    if (known !== undefined) return known
    process.stderr.write(`  building ${key}\n`)
    const all = [
      'build',
      '--release',
      '--message-format',
      'json-render-diagnostics',
      '--manifest-path',
      manifest,
    ]
    const cargo = spawnSync('cargo', [...all, ...(locked ? ['--locked'] : []), ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 1 << 28,
    })
    if (cargo.status !== 0) throw new Error(`cargo could not build ${manifest}`)
    const path = cargo.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line).executable)
      .findLast((executable) => typeof executable === 'string')
    this.#built.set(key, path)
    return path
  }
}
