/* oxlint-disable no-console, unicorn/no-process-exit -- a script */
// Holds built native parts to what is promised about them: the processor, the C library and its oldest version, what else they
// link to, their size. Reads the files themselves. Without arguments, all that are in native/addon.
//
//   node scripts/check-binary.mjs [FILE.node...]
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { BUILT, GLIBC_FLOOR, TARGETS } from './lib/targets.mjs'

const MOST_BYTES = 8 * 2 ** 20
const C_LIBRARIES = {
  gnu: /^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|libgcc_s\.so\.1|ld-linux-[-.a-z0-9_]+)$/,
  musl: /^(libc\.so|libc\.musl-[a-z0-9_]+\.so\.1|libgcc_s\.so\.1)$/,
}
const ENTRY = 'napi_register_module_v1'

const files = process.argv.slice(2)
if (files.length === 0) {
  files.push(...readdirSync(BUILT).flatMap((name) => (name.endsWith('.node') ? [join(BUILT, name)] : [])))
}
let failed = files.length === 0
if (failed) console.error(`nothing built is in ${BUILT}`)
for (const file of files) {
  const { facts, faults } = examine(file)
  console.log(`${basename(file)}: ${facts.join(', ')}`)
  for (const fault of faults) console.error(`  WRONG: ${fault}`)
  failed ||= faults.length > 0
}
process.exit(failed ? 1 : 0)

function examine(file) {
  const target = TARGETS.find((one) => one.file === basename(file))
  if (!target) return { facts: [], faults: ['the name is of no platform that package.json has'] }
  const { size } = statSync(file)
  const facts = [`${(size / 2 ** 20).toFixed(2)} MiB`]
  const faults = []
  if (size > MOST_BYTES) faults.push(`larger than ${MOST_BYTES / 2 ** 20} MiB`)
  const machine = machineOf(head(file))
  facts.push(machine)
  if (machine !== `${target.os} ${target.arch}`) faults.push(`should be for ${target.os} ${target.arch}`)
  else if (target.os === 'linux') examineElf(file, target.abi, facts, faults)
  return { facts, faults }
}

function examineElf(file, abi, facts, faults) {
  const read = (...args) =>
    execFileSync('readelf', ['--wide', ...args, file], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  const needed = [...read('--dynamic').matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name)
  for (const name of needed) if (!C_LIBRARIES[abi].test(name)) faults.push(`links to ${name}`)
  const versions = [...read('--version-info').matchAll(/Name: GLIBC_([\d.]+)/g)].map(([, version]) => version)
  const newest = versions.sort(byVersion).at(-1)
  if (abi === 'gnu') {
    facts.push(`needs glibc ${newest}`)
    if (!newest) faults.push('names no version of glibc')
    else if (byVersion(newest, GLIBC_FLOOR) > 0) faults.push(`glibc ${GLIBC_FLOOR} is promised`)
  } else {
    facts.push('needs musl')
    if (newest) faults.push(`needs glibc ${newest}`)
    if (needed.length === 0) faults.push('is linked statically: Node cannot load it')
  }
  if (!read('--dyn-syms').includes(ENTRY)) faults.push(`does not export ${ENTRY}`)
}

function byVersion(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  for (const at of left.keys()) if (left[at] !== (right[at] ?? 0)) return left[at] - (right[at] ?? 0)
  return left.length - right.length
}

function head(file) {
  const bytes = Buffer.alloc(4096)
  const opened = openSync(file, 'r')
  readSync(opened, bytes)
  closeSync(opened)
  return bytes
}

/** The system and processor that a program's first bytes name, as Node calls them. */
function machineOf(bytes) {
  if (bytes.toString('latin1', 0, 4) === '\x7fELF') {
    return `linux ${{ 62: 'x64', 183: 'arm64' }[bytes.readUInt16LE(18)] ?? 'unknown'}`
  }
  if (bytes.readUInt32LE(0) === 0xfeedfacf) {
    return `darwin ${{ 0x01000007: 'x64', 0x0100000c: 'arm64' }[bytes.readUInt32LE(4)] ?? 'unknown'}`
  }
  const header = bytes.readUInt32LE(60)
  if (bytes.toString('latin1', 0, 2) === 'MZ' && header < 4000) {
    return `win32 ${{ 0x8664: 'x64', 0xaa64: 'arm64' }[bytes.readUInt16LE(header + 4)] ?? 'unknown'}`
  }
  return 'no program'
}
