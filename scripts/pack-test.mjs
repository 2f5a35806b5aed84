/* oxlint-disable no-console, node/no-process-env, unicorn/no-process-exit -- a script */
// Installs what scripts/pack.mjs packed into empty projects, as users will, and uses it from there.
//
//   node scripts/pack-test.mjs [--nodes 20,22,24]
//
// For each version of Node (by default only the one that runs this): `npm install`, `npx`, a search, import by an ES module,
// require by a CommonJS script, a strict TypeScript project without skipLibCheck, what is installed and how large it is, which
// packages are asked for and which are loaded, and what is said when the native part was left out. npm is served by a registry
// on this machine that has the packed tarballs; all else comes from the real one.
import { execFileSync, spawn } from 'node:child_process'
import { strict as assert } from 'node:assert'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeOf } from './lib/node-versions.mjs'
import { startRegistry } from './lib/registry.mjs'

const MOST_BYTES = 10 * 10 ** 6
const WINDOWS = process.platform === 'win32'
const USE = `
const { optimal } = await search({ text: 'a b. c d. a c. b d.', name: 'tiny' }, { out: 'FILE.bin' })
if (optimal?.words.join() !== 'a,c,b,d') throw new Error('not the ortho of the text')
try {
  await openArchive('missing.bin')
  throw new Error('opened what is not there')
} catch (error) {
  if (!(error instanceof FoldError) || error.exitCode !== EXIT_CODES[error.code]) throw error
}
`
const PROGRAMS = {
  'import.mjs': `import { createRequire } from 'node:module'
import { EXIT_CODES, FoldError, openArchive, search } from 'fold-worker'
${USE.replace('FILE', 'import')}
const required = createRequire(import.meta.url)('fold-worker')
if (required.FoldError !== FoldError) throw new Error('import and require give different libraries')
console.log('searches; the same library as by require')
`,
  'require.cjs': `const { EXIT_CODES, FoldError, openArchive, search } = require('fold-worker')
async function main() {
${USE.replace('FILE', 'require')}
  const loaded = Object.keys(require.cache).filter((path) => /node_modules.(@aws-sdk|@smithy)/.test(path))
  if (loaded.length > 0) throw new Error('a search loads the AWS SDK: ' + loaded[0])
  console.log('searches; nothing of the AWS SDK is loaded')
}
void main()
`,
}
const TYPED = `import { EXIT_CODES, FoldError, openArchive, search, type ErrorCode, type Ortho } from 'fold-worker'
export async function main(): Promise<Ortho[]> {
  const code: ErrorCode = 'NOT_AN_ARCHIVE'
  const failure: Error = new FoldError(code, 'as a test')
  if (!(failure instanceof FoldError) || failure.exitCode !== EXIT_CODES[code]) throw failure
  const { archive, optimal } = await search({ text: 'a b. c d. a c. b d.', name: 'tiny' }, { out: \`typed-\${Date.now()}.bin\` })
  const words: string[] | undefined = optimal?.words
  if (words?.length !== 4) throw new Error('not the ortho of the text')
  const found: Ortho[] = []
  for await (const ortho of (await openArchive(archive)).orthos({ limit: 3 })) found.push(ortho)
  return found
}
void main()
`
const STRICT = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: false,
  skipLibCheck: false,
  types: ['node'],
}

const { values } = parseArgs({ options: { nodes: { type: 'string' } } })
const [own] = process.versions.node.split('.')
const versions = values.nodes?.split(',') ?? [own]
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const upstream = execFileSync('npm', ['config', 'get', 'registry'], {
  encoding: 'utf8',
  shell: WINDOWS,
}).trim()

const registry = await startRegistry('pack', upstream)
const work = mkdtempSync(join(tmpdir(), 'fold-pack-test-'))
try {
  for (const node of versions) {
    const directory = node === own ? dirname(process.execPath) : nodeOf(node)
    await testUnder(directory, join(work, node))
  }
} finally {
  registry.close()
  rmSync(work, { recursive: true, force: true, maxRetries: 5 })
}
console.log(`${versions.length} passed, 0 failed`)

async function testUnder(nodeDirectory, home) {
  const env = {
    ...process.env,
    PATH: `${nodeDirectory}${delimiter}${process.env.PATH}`,
    npm_config_registry: registry.url,
    npm_config_cache: join(home, 'cache'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  }
  const project = join(home, 'project')
  mkdirSync(project, { recursive: true })
  const at =
    (cwd) =>
    async (command, ...args) => {
      const { code, out, err } = await run(command, args, { cwd, env })
      assert.equal(code, 0, `${command} ${args.join(' ')}: exit code ${code}\n${out}\n${err}`)
      return out
    }
  const here = at(project)
  console.log(`Node ${(await here('node', '--version')).trim()}`)

  // A stranger's first command: nothing but our packages and what they say they need is asked for.
  registry.asked.clear()
  const bare = join(home, 'bare')
  mkdirSync(bare)
  assert.equal((await at(bare)('npx', '--yes', 'fold-worker', '--version')).trim(), version)
  const others = [...registry.asked].filter((name) => !/^(@aws|@smithy|fold-worker)/.test(name))
  const count = `${registry.asked.size} packages, for the AWS SDK all but ${others.length}`
  console.log(
    `  npx --yes fold-worker --version: ${version}; asked for ${count}: ${others.sort().join(', ')}`,
  )

  writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
  await here('npm', 'install', 'fold-worker')
  const parts = readdirSync(join(project, 'node_modules')).filter((name) => name.startsWith('fold-worker-'))
  assert.equal(parts.length, 1, `one native part, not: ${parts}`)
  const bytes = sizeWithoutAws(project)
  console.log(
    `  npm install fold-worker: ${parts[0]}; ${(bytes / 10 ** 6).toFixed(2)} MB without the AWS SDK`,
  )
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes are installed`)

  writeFileSync(join(project, 'tiny.txt'), 'a b. c d. a c. b d.')
  const found = JSON.parse(await here('npx', 'fold-worker', 'search', 'tiny.txt', '--json'))
  assert.deepEqual([found.orthoCount, found.optimal.words], [1, ['a', 'c', 'b', 'd']])
  await here('npx', 'fold-worker', 'inspect', 'tiny.bin', '--verify')
  await here('npx', 'fold-worker', 'export', 'tiny.bin', '--format', 'parquet', '--out', 'tiny.parquet')
  await here('npx', 'fold-worker', 'report', 'tiny.bin', '--text', 'tiny.txt', '--out', 'tiny.html')
  assert.equal(readFileSync(join(project, 'tiny.parquet')).toString('latin1', 0, 4), 'PAR1')
  assert.match(readFileSync(join(project, 'tiny.html'), 'utf8'), /^<!doctype html>/i)
  console.log('  npx fold-worker search, inspect --verify, export, report: the one ortho of a tiny text')

  for (const [name, source] of Object.entries(PROGRAMS)) {
    writeFileSync(join(project, name), source)
    console.log(`  node ${name}: ${(await here('node', name)).trim()}`)
  }
  await typeScript(project, here)
  await withoutNativePart(home, env)
}

/** Bytes of fold-worker and all that it brings, but for what only the AWS SDK brings. */
function sizeWithoutAws(project) {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'))
  const seen = new Set()
  const visit = (path) => {
    if (seen.has(path) || !packages[path]) return
    seen.add(path)
    const { dependencies, optionalDependencies } = packages[path]
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!name.startsWith('@aws-sdk/')) visit(placeOf(packages, path, name))
    }
  }
  visit('node_modules/fold-worker')
  return [...seen].reduce((sum, path) => sum + sizeOf(join(project, path)), 0)
}

/** Where Node finds a package that another one asks for. */
function placeOf(packages, from, name) {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const path = base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`
    if (packages[path] || base === '') return path
  }
}

/** Bytes of the files of a package, without those of packages inside it. */
function sizeOf(directory) {
  let sum = 0
  let entries = []
  try {
    entries = readdirSync(directory, { withFileTypes: true })
  } catch {
    // Of another platform: in the lock file, but not installed.
  }
  for (const entry of entries) {
    const path = join(directory, entry.name)
    if (entry.isFile()) sum += statSync(path).size
    else if (entry.isDirectory() && entry.name !== 'node_modules') sum += sizeOf(path)
  }
  return sum
}

async function typeScript(project, here) {
  // The compiler and Node's types are the repository's; they are not what is tested.
  for (const name of ['@types/node', 'undici-types']) {
    cpSync(join('node_modules', name), join(project, 'node_modules', name), { recursive: true })
  }
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  writeFileSync(join(project, 'strict.mts'), TYPED)
  writeFileSync(join(project, 'strict-require.cts'), TYPED)
  for (const module of ['nodenext', 'node16']) {
    const settings = {
      compilerOptions: { ...STRICT, module },
      files: ['strict.mts', 'strict-require.cts'],
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(settings))
    await here('node', tsc, '--project', 'tsconfig.json')
  }
  for (const name of ['strict.mjs', 'strict-require.cjs']) await here('node', name)
  console.log(
    '  TypeScript, strict, no skipLibCheck, module nodenext and node16, import and require: compiles and runs',
  )
}

async function withoutNativePart(home, env) {
  const cwd = join(home, 'without')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'package.json'), '{ "private": true }\n')
  writeFileSync(join(cwd, 'tiny.txt'), 'a b')
  const installed = await run('npm', ['install', '--omit=optional', 'fold-worker'], { cwd, env })
  assert.equal(installed.code, 0, installed.err)
  const { code, err } = await run('npx', ['fold-worker', 'search', 'tiny.txt'], { cwd, env })
  assert.equal(code, 17, err)
  assert.match(err, /^fold-worker: NO_ADDON: .*--omit=optional/m)
  console.log('  without the native part: NO_ADDON, exit code 17')
}

function run(command, args, { cwd, env }) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, env, shell: WINDOWS, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (data) => (out += data))
    child.stderr.on('data', (data) => (err += data))
    child.on('error', fail)
    child.on('close', (code) => done({ code, out, err }))
  })
}
