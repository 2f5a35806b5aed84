/**
 * Which builds of the native part are published, which of them a machine needs, and what to tell people where none fits.
 *
 * Every build is a package of its own, `fold-worker-PLATFORM`, an optional dependency of the main one: npm installs the
 * one whose `os`, `cpu` and `libc` are the machine's. A checkout of the repository has its own build beside the sources,
 * and that one is preferred.
 */
import { FoldError } from './errors.js'
import type { Host } from './effects.js'

/** The oldest glibc that the published builds for Linux run on; scripts/check-binary.mjs holds them to it. */
export const GLIBC_FLOOR = '2.17'

/** The published builds, as @napi-rs/cli names them, in words. `napi.targets` of package.json lists the same. */
export const BUILDS: Readonly<Record<string, string>> = {
  'linux-x64-gnu': `Linux on x64 with glibc ${GLIBC_FLOOR} or later`,
  'linux-x64-musl': 'Linux on x64 with musl',
  'linux-arm64-gnu': `Linux on arm64 with glibc ${GLIBC_FLOOR} or later`,
  'linux-arm64-musl': 'Linux on arm64 with musl',
  'darwin-x64': 'macOS on x64',
  'darwin-arm64': 'macOS on arm64',
  'win32-x64-msvc': 'Windows on x64',
}

const HOW_TO_BUILD =
  'To build it: with stable Rust, run `npm ci` and `npm run build` in a clone of the repository of fold-worker, ' +
  'then `npm install` the directory of the clone where you need it'

/** The name of the build that a machine needs, whether or not it is published. */
export function buildName({ platform, arch, usesMusl }: Host): string {
  if (platform === 'win32') return `win32-${arch}-msvc`
  if (platform !== 'linux') return `${platform}-${arch}`
  const abi = arch === 'arm' ? 'eabihf' : ''
  return `linux-${arch}-${usesMusl() ? 'musl' : 'gnu'}${abi}`
}

/** What loads a file or package; throws as Node's `require` does. */
export type Load = (id: string) => unknown

/** Loads the build for a machine: the checkout's own, or else the package of this version. */
export function loadBuild(host: Host, version: string, load: Load): unknown {
  const name = buildName(host)
  const own = attempt(load, `../native/addon/fold-worker.${name}.node`)
  if ('loaded' in own) return own.loaded
  if (!isMissing(own.error)) throw unusable(name, own.error)

  const id = `fold-worker-${name}`
  const manifest = attempt(load, `${id}/package.json`)
  if ('error' in manifest) {
    if (!isMissing(manifest.error)) throw unusable(name, manifest.error)
    throw Object.hasOwn(BUILDS, name) ? notInstalled(name, id) : notPublished(name)
  }
  const found = (manifest.loaded as { version?: unknown }).version
  if (found !== version) {
    throw new FoldError(
      'NO_ADDON',
      `fold-worker is version ${version}, but its native part, the package ${id}, is version ${String(found)}; ` +
        'run `npm install` again, so that both are the same',
    )
  }
  const published = attempt(load, id)
  if ('error' in published) throw unusable(name, published.error)
  return published.loaded
}

function attempt(load: Load, id: string): { loaded: unknown } | { error: unknown } {
  try {
    return { loaded: load(id) }
  } catch (error) {
    return { error }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
}

function notPublished(name: string): FoldError {
  return new FoldError(
    'NO_ADDON',
    `there is no build of the native part of fold-worker for this platform, ${name}. There are builds for: ` +
      `${Object.values(BUILDS).join('; ')}. ${HOW_TO_BUILD}`,
  )
}

function notInstalled(name: string, id: string): FoldError {
  return new FoldError(
    'NO_ADDON',
    `the native part of fold-worker for this platform, ${name}, is not installed: npm left out the package ${id}, as it does ` +
      'with --omit=optional, or when node_modules or package-lock.json come from another platform. Remove both and run ' +
      `\`npm install\` again. In a checkout of fold-worker, \`npm run build\` makes the native part`,
  )
}

function unusable(name: string, cause: unknown): FoldError {
  const said = cause instanceof Error ? cause.message : String(cause)
  const old = /GLIBC_\d/.test(said) ? ` It needs glibc ${GLIBC_FLOOR} or later.` : ''
  return new FoldError(
    'NO_ADDON',
    `the native part of fold-worker for this platform, ${name}, is there but cannot be loaded.${old} ${HOW_TO_BUILD}`,
    { cause },
  )
}
