// The licences of the packages whose code is in a bundle or in the native part, as they ask for.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'

const LICENSE = /^(licen[cs]e|copying|copyright)/i
const RULE = `\n${'-'.repeat(80)}\n\n`

/** Takes the metafiles of esbuild. */
export function thirdPartyLicenses(metafiles) {
  const inputs = metafiles.flatMap(({ inputs: files }) => Object.keys(files))
  const roots = inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
  return [...new Set(roots)]
    .filter(Boolean)
    .sort()
    .map(licenseOf)
    .join(`\n${'-'.repeat(80)}\n\n`)
}

function licenseOf(root) {
  const { name, version, license, repository } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
  const file = readdirSync(root).find((entry) => LICENSE.test(entry))
  if (!file && !license) throw new Error(`${name} is bundled, but ${root} does not say under which licence`)
  const text = file ? readFileSync(`${root}/${file}`, 'utf8').trim() : `See ${repository?.url ?? repository}`
  return `${name} ${version} (${license})\n\n${text}\n`
}

/** Of all crates that are linked into the native part, on any platform. */
export function crateLicenses() {
  const said = execFileSync('cargo', ['metadata', '--format-version', '1', '--locked'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const { packages, resolve } = JSON.parse(said)
  const root = packages.find(({ name }) => name === 'fold-worker-native').id
  const linked = new Set()
  const visit = (id) => {
    if (linked.has(id)) return
    linked.add(id)
    for (const { pkg, dep_kinds: kinds } of resolve.nodes.find((node) => node.id === id).deps) {
      if (kinds.some(({ kind }) => kind === null)) visit(pkg)
    }
  }
  visit(root)
  const others = packages.filter(({ id, source }) => linked.has(id) && source !== null)
  return others.map(crateLicense).sort().join(RULE)
}

function crateLicense({ name, version, license, repository, manifest_path: manifest }) {
  const root = dirname(manifest)
  const all = readdirSync(root).filter((entry) => LICENSE.test(entry))
  // Most may be had under either of two licences; the shorter one will do.
  const short = all.filter((entry) => !/apache/i.test(entry))
  const files = short.length > 0 ? short : all
  const texts = files.sort().map((entry) => readFileSync(`${root}/${entry}`, 'utf8').trim())
  if (texts.length === 0 && !license)
    throw new Error(`${name} is linked, but does not say under which licence`)
  return `${name} ${version} (${license})\n\n${texts.join('\n\n') || `See ${repository}`}\n`
}
