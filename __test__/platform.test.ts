import { readFileSync } from 'node:fs'
import test from 'ava'
import type { Host } from '../src/effects.js'
import { FoldError } from '../src/errors.js'
import { BUILDS, GLIBC_FLOOR, buildName, loadBuild } from '../src/platform.js'

const HOST: Host = { platform: 'linux', arch: 'x64', usesMusl: () => false }
const BUILD = { search: true }

function missing(id: string): Error {
  return Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' })
}

/** A machine on which these can be loaded; an error is thrown, and all else is missing. */
function loader(there: Record<string, unknown>) {
  return (id: string) => {
    if (!Object.hasOwn(there, id)) throw missing(id)
    if (there[id] instanceof Error) throw there[id]
    return there[id]
  }
}

function refusal(host: Host, there: Record<string, unknown>): string {
  try {
    loadBuild(host, '1.0.0', loader(there))
  } catch (error) {
    if (error instanceof FoldError && error.code === 'NO_ADDON' && error.exitCode === 17) return error.message
  }
  throw new Error('it was loaded, or failed in another way')
}

test('builds are named as @napi-rs/cli names them', (t) => {
  t.is(buildName(HOST), 'linux-x64-gnu')
  t.is(buildName({ ...HOST, arch: 'arm64', usesMusl: () => true }), 'linux-arm64-musl')
  t.is(buildName({ ...HOST, arch: 'arm' }), 'linux-arm-gnueabihf')
  t.is(buildName({ ...HOST, platform: 'darwin', arch: 'arm64', usesMusl: () => true }), 'darwin-arm64')
  t.is(buildName({ ...HOST, platform: 'win32' }), 'win32-x64-msvc')
  t.is(buildName({ ...HOST, platform: 'freebsd' }), 'freebsd-x64')
})

test('the package of the platform is loaded, a build of the checkout before it', (t) => {
  const installed = { 'fold-worker-linux-x64-gnu/package.json': { version: '1.0.0' } }
  t.is(loadBuild(HOST, '1.0.0', loader({ ...installed, 'fold-worker-linux-x64-gnu': BUILD })), BUILD)
  const own = { '../native/addon/fold-worker.linux-x64-gnu.node': BUILD }
  t.is(loadBuild(HOST, '1.0.0', loader({ ...installed, ...own, 'fold-worker-linux-x64-gnu': {} })), BUILD)
})

test('where there is no build, the error says where there are and how to make one', (t) => {
  const said = refusal({ ...HOST, platform: 'freebsd' }, {})
  t.regex(said, /freebsd-x64/)
  for (const words of Object.values(BUILDS)) t.true(said.includes(words), words)
  t.regex(said, /Rust.*npm run build/)
})

test('where there is one that was not installed, the error says so', (t) => {
  t.regex(refusal(HOST, {}), /fold-worker-linux-x64-gnu.*--omit=optional/s)
})

test('a build that cannot be loaded is not said to be missing', (t) => {
  const old = new Error("/lib/libc.so.6: version `GLIBC_2.17' not found")
  const there = { 'fold-worker-linux-x64-gnu/package.json': { version: '1.0.0' } }
  t.regex(refusal(HOST, { ...there, 'fold-worker-linux-x64-gnu': old }), /cannot be loaded.*needs glibc/)
  t.regex(
    refusal(HOST, { '../native/addon/fold-worker.linux-x64-gnu.node': new Error('odd') }),
    /cannot be loaded/,
  )
})

test('a build of another version is refused', (t) => {
  const there = { 'fold-worker-linux-x64-gnu/package.json': { version: '0.9.0' } }
  t.regex(refusal(HOST, { ...there, 'fold-worker-linux-x64-gnu': BUILD }), /1\.0\.0.*0\.9\.0/)
})

test('package.json builds for the platforms that the error names', (t) => {
  const { napi } = JSON.parse(readFileSync('package.json', 'utf8')) as { napi: { targets: string[] } }
  const names: Record<string, string> = {
    'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
    'x86_64-unknown-linux-musl': 'linux-x64-musl',
    'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
    'aarch64-unknown-linux-musl': 'linux-arm64-musl',
    'x86_64-apple-darwin': 'darwin-x64',
    'aarch64-apple-darwin': 'darwin-arm64',
    'x86_64-pc-windows-msvc': 'win32-x64-msvc',
  }
  t.deepEqual(napi.targets.map((target) => names[target]).sort(), Object.keys(BUILDS).sort())
})

test('the glibc that is promised is not above 2.28', (t) => {
  const [, minor] = GLIBC_FLOOR.split('.').map(Number)
  t.true(minor !== undefined && minor <= 28)
})
