// The licences of the packages whose code is in a bundle, as they ask for.
import { readFileSync, readdirSync } from 'node:fs'

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
  const file = readdirSync(root).find((entry) => /^licen[cs]e/i.test(entry))
  if (!file && !license) throw new Error(`${name} is bundled, but ${root} does not say under which licence`)
  const text = file ? readFileSync(`${root}/${file}`, 'utf8').trim() : `See ${repository?.url ?? repository}`
  return `${name} ${version} (${license})\n\n${text}\n`
}
