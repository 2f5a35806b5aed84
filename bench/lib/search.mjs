// One search in a process of its own, by the command line if it is built, otherwise by the core's example.
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export async function searchOnce(tools, text, threads) {
  const file = tools.text(text)
  const outcome =
    tools.commandLine === undefined
      ? await byExample(tools, file, threads)
      : await byCommandLine(tools, file, threads)
  const expected = tools.expected(text)
  if (outcome.orthos !== expected) {
    throw new Error(`${text}: ${outcome.orthos} orthos instead of ${expected}`)
  }
  return outcome
}

/** The command with a text of four words: its start, and an archive with one ortho. */
export async function startOnce(tools) {
  const file = join(tools.scratch, 'four-words.txt')
  writeFileSync(file, 'a b. a c. b d. c d.')
  const outcome = await byCommandLine(tools, file, 1)
  if (outcome.orthos !== 1) throw new Error(`four words: ${outcome.orthos} orthos`)
  return outcome
}

async function byCommandLine(tools, file, threads) {
  const out = join(tools.scratch, 'archive.bin')
  rmSync(out, { recursive: true, force: true })
  const args = ['search', file, '--out', out, '--threads', `${threads}`, '--memory', '256M', '--json']
  const child = await tools.run(process.execPath, [tools.commandLine, ...args])
  const bytes = size(out)
  rmSync(out, { recursive: true, force: true })
  return { ...child, orthos: JSON.parse(child.stdout).orthoCount, bytes }
}

async function byExample(tools, file, threads) {
  const child = await tools.run(tools.orthos, [file, `${threads}`, '256'], { env: { TMPDIR: tools.scratch } })
  const [, orthos, within, bytes] = /^(\d+) orthos.*, all ([\d.]+\S+), (\d+) bytes/m.exec(child.stderr) ?? []
  return { ...child, orthos: Number(orthos), bytes: Number(bytes), within: rustSeconds(within) }
}

/** The seconds from the text to all its 2x2 and 2x2x2, in a process that is already there. */
export async function cubesWithin(tools, text) {
  const args = [tools.text(text), '1', '256', 'cubes']
  const { stderr } = await tools.run(tools.orthos, args, { env: { TMPDIR: tools.scratch } })
  const [, searched] = /searched ([\d.]+\S+),/.exec(stderr) ?? []
  const [, count] = /^2x2x2\t(\d+)$/m.exec(stderr) ?? []
  if (Number(count) !== tools.expected(text, '2x2x2')) throw new Error(`${text}: ${count} cubes`)
  return rustSeconds(searched)
}

/** A duration as Rust shows it for people: `1.5s`, `20.1ms`, `300µs`. */
function rustSeconds(shown) {
  const [, number, unit] = /^([\d.]+)(s|ms|µs|ns)$/.exec(shown) ?? []
  return Number(number) * { s: 1, ms: 1e-3, µs: 1e-6, ns: 1e-9 }[unit]
}

function size(path) {
  const stat = statSync(path)
  return stat.isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0)
    : stat.size
}
