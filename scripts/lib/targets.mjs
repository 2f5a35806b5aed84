// The platforms that builds are published for: from package.json, where @napi-rs/cli reads them too.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The oldest glibc that builds for it run on. src/platform.ts promises the same; a test keeps them equal. */
export const GLIBC_FLOOR = '2.17'

const ARCHITECTURES = { x86_64: 'x64', aarch64: 'arm64' }
const SYSTEMS = { linux: 'linux', darwin: 'darwin', windows: 'win32' }

/** Each target triple, with the names that follow from it. */
export const TARGETS = JSON.parse(readFileSync('package.json', 'utf8')).napi.targets.map((triple) => {
  const [cpu, , system, abi] = triple.split('-')
  const [arch, os] = [ARCHITECTURES[cpu], SYSTEMS[system]]
  const name = [os, arch, abi].filter(Boolean).join('-')
  return { triple, name, os, arch, abi, file: `fold-worker.${name}.node` }
})

/** Where `napi build` puts what it builds. */
export const BUILT = 'native/addon'

/** The command line of @napi-rs/cli, to be run by Node. */
export function napiCli() {
  return join(dirname(createRequire(import.meta.url).resolve('@napi-rs/cli')), 'cli.js')
}
