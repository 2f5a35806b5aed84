/* oxlint-disable no-console, node/no-process-env, unicorn/no-process-exit -- a script */
// Publishes the tarballs in pack/: those of the platforms first, the main package last, so that nobody can install a main package
// whose parts are not there yet. What is published already is left alone, so a release that broke off is gone on with by running
// it again.
//
//   node scripts/publish.mjs [--directory pack]
//   node scripts/publish.mjs --due      # prints due=true if the version of package.json is not published, else due=false
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { due: { type: 'boolean' }, directory: { type: 'string', default: 'pack' } },
})
const main = JSON.parse(readFileSync('package.json', 'utf8'))
if (values.due) {
  console.log(`due=${!isPublished(main.name, main.version)}`)
  process.exit(0)
}

const tarballs = readdirSync(values.directory)
  .filter((name) => name.endsWith('.tgz'))
  .map((name) => {
    const inside = ['-xzOf', name, 'package/package.json']
    const manifest = execFileSync('tar', inside, { cwd: values.directory, encoding: 'utf8' })
    return { path: resolve(values.directory, name), ...JSON.parse(manifest) }
  })
const [last, ...others] = tarballs.sort((a, b) => Number(b.name === main.name) - Number(a.name === main.name))
const parts = Object.keys(last?.optionalDependencies ?? {})
const lacking = parts.filter(
  (name) => !others.some((one) => one.name === name && one.version === last.version),
)
if (last?.name !== main.name || last.version !== main.version || parts.length === 0 || lacking.length > 0) {
  console.error(
    `${values.directory} is not the whole of ${main.name} ${main.version}; it lacks: ${lacking.join(', ') || main.name}`,
  )
  process.exit(1)
}
for (const { path, name, version } of [...others, last]) {
  if (isPublished(name, version)) {
    console.log(`${name} ${version} is published already`)
    continue
  }
  const signed = process.env.GITHUB_ACTIONS ? ['--provenance'] : []
  execFileSync('npm', ['publish', path, '--access', 'public', '--ignore-scripts', ...signed], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  console.log(`published ${name} ${version}`)
}

/** Fails when the registry cannot be asked: that is no reason to publish. */
function isPublished(name, version) {
  const { status, stdout, stderr } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], {
    encoding: 'utf8',
  })
  if (status === 0) return stdout.trim() === version
  if (/\bE404\b/.test(stderr)) return false
  throw new Error(`whether ${name} ${version} is published could not be asked:\n${stderr}`)
}
