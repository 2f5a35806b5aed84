/* oxlint-disable no-console, node/no-process-env, unicorn/no-process-exit -- a script */
// deploy/worker.sh from beginning to end in a clean Debian: a root that debootstrap makes, with no compiler and no Node, into
// which the packed packages are installed from a registry on this machine (all else comes from the real one).
//
//   npm run build && node scripts/pack.mjs --partial && sudo node scripts/clean-machine.mjs [--keep]
//
// Put in the place of what would change this machine, as recorders: shutdown, iptables, ip6tables. Node comes from its own
// site, checked as on a droplet, where that can be reached, and otherwise from the npm registry, which is said. The buckets are
// directories. Needs root and debootstrap.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { strict as assert } from 'node:assert'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeOf } from './lib/node-versions.mjs'
import { startRegistry } from './lib/registry.mjs'

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
const TEXT = 'a b. c d. a c. b d.'
const LIFETIME = 1800

const { values } = parseArgs({ options: { keep: { type: 'boolean' } } })
if (process.getuid() !== 0 || spawnSync('debootstrap', ['--version']).status !== 0) {
  console.log('clean-machine skipped: it needs root and debootstrap')
  process.exit(0)
}
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const script = readFileSync('deploy/worker.sh', 'utf8')
const nodeVersion = /^NODE_VERSION=(\S+)/m.exec(script)[1]

const home = mkdtempSync(join(tmpdir(), 'fold-clean-machine-'))
const root = join(home, 'root')
const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
const registry = await startRegistry('pack', upstream)
const mounts = []
try {
  makeRoot()
  const node = await giveNode()
  const good = await boot('does its work', { INPUT_FILE: '["a b.txt"]' }, node)
  assert.equal(good.code, 0, good.log)
  const [name, ...others] = readdirSync(join(root, 'spaces/fold-archives'))
  assert.match(name, /^a b_\d+\.tar\.zst$/)
  assert.deepEqual(others, [])
  const archive = join(root, 'spaces/fold-archives', name)
  const manifest = JSON.parse(
    execFileSync('tar', ['--zstd', '-xOf', archive, 'archive.bin/manifest.json'], { encoding: 'utf8' }),
  )
  assert.equal(manifest.orthoCount, 1)
  assert.equal(manifest.complete, true)
  assert.match(good.log, /"phase":"SHUTDOWN","event":"end".*"exitCode":0/)
  const asked = [...registry.asked].filter((one) => one.startsWith('fold-worker')).sort()
  console.log(`  stored ${name}; of our packages it asked for ${asked.join(', ')}`)
  for (const tool of ['cc', 'gcc', 'make', 'cargo', 'python3']) {
    assert.notEqual(
      inRoot(['sh', '-c', `command -v ${tool}`]).status,
      0,
      `${tool} is there: the machine is not clean`,
    )
  }
  const missing = await boot('has no input', { INPUT_FILE: 'missing.txt' }, node)
  assert.equal(missing.code, 3, missing.log)
  const unknown = await boot(
    'has no package',
    { INPUT_FILE: 'a b.txt', FOLD_PACKAGE: 'fold-worker@99.0.0' },
    node,
  )
  assert.equal(unknown.code, 1, unknown.log)
  console.log('3 passed, 0 failed')
} finally {
  registry.close()
  for (const path of mounts.toReversed()) spawnSync('umount', ['-l', path])
  if (values.keep) console.log(`kept: ${home}`)
  else rmSync(home, { recursive: true, force: true })
}

/** What ubuntu-22-04-x64 has and worker.sh asks for, and nothing else. */
function makeRoot() {
  console.log('debootstrap ...')
  const packages = '--include=ca-certificates,curl,xz-utils'
  const args = ['--variant=minbase', packages, 'bookworm', root]
  execFileSync('debootstrap', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  for (const [type, name] of [
    ['proc', 'proc'],
    ['sysfs', 'sys'],
  ]) {
    execFileSync('mount', ['-t', type, type, join(root, name)])
    mounts.push(join(root, name))
  }
  // So that it also works behind a proxy with a certificate of its own.
  for (const file of ['/etc/resolv.conf', CERTIFICATES]) if (existsSync(file)) cpSync(file, join(root, file))
  for (const name of ['shutdown', 'iptables', 'ip6tables']) {
    const path = join(root, 'usr/local/sbin', name)
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> /record\n`)
    chmodSync(path, 0o755)
  }
  cpSync('deploy/worker.sh', join(root, 'worker.sh'))
  for (const bucket of ['fold-input', 'fold-archives'])
    mkdirSync(join(root, 'spaces', bucket), { recursive: true })
  writeFileSync(join(root, 'spaces/fold-input/a b.txt'), TEXT)
}

/** Undefined if worker.sh can install Node by itself; otherwise the directory in the root that has it. */
async function giveNode() {
  const url = `https://nodejs.org/dist/v${nodeVersion}/SHASUMS256.txt`
  const sums = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
  if (sums?.ok) return undefined
  console.log(`  nodejs.org cannot be reached from here: Node ${nodeVersion} from the npm registry instead`)
  const node = join(root, 'opt/node')
  mkdirSync(join(node, 'bin'), { recursive: true })
  cpSync(join(nodeOf(nodeVersion), 'node'), join(node, 'bin/node'))
  const npm = execFileSync('npm', ['pack', '--silent', '--pack-destination', node, 'npm@10'], {
    encoding: 'utf8',
  }).trim()
  execFileSync('tar', ['-xzf', npm], { cwd: node })
  writeFileSync(join(node, 'bin/npm'), '#!/bin/sh\nexec node /opt/node/package/bin/npm-cli.js "$@"\n')
  chmodSync(join(node, 'bin/npm'), 0o755)
  return '/opt/node/bin'
}

/** One life of the machine. Its code is worker.sh's; that it is shut down at the end is checked. */
async function boot(what, orders, node) {
  console.log(`a machine that ${what} ...`)
  for (const path of ['record', 'log', 'fold_state'])
    rmSync(join(root, path), { recursive: true, force: true })
  const environment = {
    FOLD_PACKAGE: `fold-worker@${version}`,
    FOLD_LIFETIME: `${LIFETIME}`,
    DO_SPACES_ENDPOINT: 'file:///spaces',
    ...orders,
  }
  const lines = Object.entries(environment).map(([name, value]) => `${name}='${value}'\n`)
  writeFileSync(join(root, 'etc/fold-worker.env'), lines.join(''), { mode: 0o600 })
  // What cloud-init gives, and where this machine differs from a droplet.
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    FOLD_LOG: '/log',
    npm_config_registry: registry.url,
    npm_config_cafile: CERTIFICATES,
    ...(node && { FOLD_NODE_BIN: node }),
  }
  const child = spawn('chroot', [root, '/bin/bash', '/worker.sh'], { env, stdio: 'ignore' })
  const code = await new Promise((resolve) => child.on('close', resolve))
  const log = readFileSync(join(root, 'log'), 'utf8')
  const record = readFileSync(join(root, 'record'), 'utf8').trim().split('\n')
  assert.equal(record[0], `shutdown -h +${LIFETIME / 60 + 2}`, log)
  assert.equal(record.at(-1), 'shutdown -h now', log)
  for (const line of ['iptables -P INPUT DROP', 'ip6tables -P INPUT DROP'])
    assert.ok(record.includes(line), log)
  return { code, log }
}

function inRoot(args) {
  return spawnSync('chroot', [root, ...args], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
}
