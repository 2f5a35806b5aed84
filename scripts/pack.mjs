/* oxlint-disable no-console, node/no-process-env, unicorn/no-process-exit -- a script */
// Packs what is published: the main package, and one for each platform with its native part, as tarballs in pack/.
//
//   node scripts/pack.mjs [--partial] [--out DIR]
//
// Needs dist/ and native/addon as built. All platforms must be there, unless --partial: then the main package asks only for
// those that are. Nothing in the repository is changed; the version is package.json's.
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { crateLicenses } from './lib/licenses.mjs'
import { BUILT, TARGETS, napiCli } from './lib/targets.mjs'

const { values } = parseArgs({
  options: { partial: { type: 'boolean' }, out: { type: 'string', default: 'pack' } },
})
const out = resolve(values.out)
// Ignored by git, and where @napi-rs/cli makes the packages of the platforms by itself.
const PLATFORMS = 'npm'
const MAIN = 'npm/fold-worker'
const LICENSES = 'THIRD_PARTY_LICENSES.txt'
/** What only work on the package needs. */
const PRIVATE = new Set(['scripts', 'devDependencies', 'overrides', 'ava', 'napi'])

const built = TARGETS.filter(({ file }) => existsSync(join(BUILT, file)))
const lacking = TARGETS.filter((target) => !built.includes(target)).map(({ name }) => name)
if (built.length === 0 || (lacking.length > 0 && !values.partial)) {
  console.error(`not built: ${lacking.join(', ')} (node scripts/prebuild.mjs)`)
  process.exit(1)
}

rmSync(PLATFORMS, { recursive: true, force: true })
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
execFileSync(process.execPath, [napiCli(), 'create-npm-dirs', '--npm-dir', PLATFORMS], { stdio: 'ignore' })
const crates = crateLicenses()
for (const { name, file } of built) {
  const directory = join(PLATFORMS, name)
  copyFileSync(join(BUILT, file), join(directory, file))
  copyFileSync('LICENSE', join(directory, 'LICENSE'))
  writeFileSync(join(directory, LICENSES), crates)
  pack(directory, (manifest) => ({ ...manifest, files: [...manifest.files, LICENSES] }))
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
mkdirSync(MAIN, { recursive: true })
for (const path of ['package.json', 'LICENSE', 'README.md', ...manifest.files]) {
  cpSync(path, join(MAIN, path), { recursive: true })
}
pack(MAIN, (whole) => {
  const shown = Object.fromEntries(Object.entries(whole).filter(([key]) => !PRIVATE.has(key)))
  const parts = built.map(({ name }) => [`fold-worker-${name}`, whole.version])
  return { ...shown, optionalDependencies: Object.fromEntries(parts) }
})

function pack(directory, change) {
  const path = join(directory, 'package.json')
  const changed = change(JSON.parse(readFileSync(path, 'utf8')))
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env
  // Provenance holds only for packages that name the repository that they were built from.
  if (GITHUB_REPOSITORY) {
    changed.repository = { type: 'git', url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git` }
  }
  writeFileSync(path, `${JSON.stringify(changed, undefined, 2)}\n`)
  const said = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  })
  const packed = Object.values(JSON.parse(said))[0]
  console.log(`${packed.filename}: ${kib(packed.size)} packed, ${kib(packed.unpackedSize)} installed`)
}

function kib(bytes) {
  return `${Math.round(bytes / 1024)} KiB`
}
