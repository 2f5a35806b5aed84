/** spawn and reap with a recorder in the place of doctl, and worker.sh with recorders in the place of what it calls. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { run } from '../../src/cli.js'
import type { Library } from '../../src/commands/base.js'
import type { Ran } from '../../src/effects.js'
import { Doctl } from '../../src/fleet/doctl.js'
import { FoldError } from '../../src/errors.js'
import { plan } from '../../src/fleet/plan.js'
import { cost, sizeFor } from '../../src/fleet/sizes.js'
import { userData } from '../../src/fleet/user-data.js'
import type { ArchiveFacts } from '../../src/archiving/facts.js'
import { coverage, missingShards } from '../../src/storage/coverage.js'
import type { StoredArchive, StoredInput } from '../../src/storage/s3-io.js'
import type { SearchInput } from '../../src/search.js'
import { expected } from '../support/summaries.js'
import { temporary, world, type World } from '../support/world.js'

const never = new AbortController().signal

/** What doctl documents for the commands in use. */
const DOCUMENTED: Record<string, string[]> = {
  'droplet create': [
    '--image',
    '--size',
    '--region',
    '--tag-name',
    '--tag-names',
    '--user-data-file',
    '--vpc-uuid',
    '--ssh-keys',
    '--output',
    '--wait',
    '--enable-monitoring',
  ],
  'droplet list': ['--tag-name', '--region', '--output', '--format', '--no-header'],
  'droplet delete': ['--force', '--tag-name'],
}

interface Fleet {
  it: World
  droplets: {
    id: number
    name: string
    status: string
    created_at: string
    tags: string[]
    size_slug: string
    userData: string
    mode: number
  }[]
  calls: string[][]
  /** Answers before the droplets do: for the n-th call, once each. */
  trouble: (Ran & { after?: boolean })[]
}

const value = (list: readonly string[], flag: string) => list[list.indexOf(flag) + 1] ?? ''

const fine = (out: string): Ran => ({ code: 0, out, err: '' })

function fleet(args: string[] = [], env: Record<string, string> = {}): Fleet {
  const droplets: Fleet['droplets'] = []
  const calls: string[][] = []
  const trouble: Fleet['trouble'] = []
  const act = (command: string, list: readonly string[]): Ran => {
    if (command === 'droplet create') {
      const file = value(list, '--user-data-file')
      const tags = value(list, '--tag-names').split(',')
      droplets.push({
        id: droplets.length + 1,
        name: list[3] ?? '',
        status: 'new',
        created_at: new Date(it.time()).toISOString(),
        tags,
        size_slug: value(list, '--size'),
        userData: readFileSync(file, 'utf8'),
        mode: statSync(file).mode & 0o777,
      })
      return { code: 0, out: JSON.stringify([droplets.at(-1)]), err: '' }
    }
    if (command === 'droplet list') {
      const tag = value(list, '--tag-name')
      return { code: 0, out: JSON.stringify(droplets.filter(({ tags }) => tags.includes(tag))), err: '' }
    }
    const index = droplets.findIndex(({ id }) => String(id) === list[3])
    if (index < 0)
      return {
        code: 1,
        out: '',
        err: 'Error: DELETE: 404 The resource you were accessing could not be found.',
      }
    droplets.splice(index, 1)
    return { code: 0, out: '', err: '' }
  }
  const it = world({
    args,
    env,
    execute: async (program, list) => {
      if (program !== 'doctl') throw new Error(`${program} is not to be run`)
      calls.push([...list])
      const command = list.slice(1, 3).join(' ')
      const flags = list.filter((word) => word.startsWith('--'))
      const unknown = flags.find((flag) => !DOCUMENTED[command]?.includes(flag))
      if (list[0] !== 'compute' || unknown)
        return { code: 1, out: '', err: `Error: unknown flag: ${String(unknown)}` }
      const bad = trouble.shift()
      if (bad?.after) act(command, list)
      return bad ?? act(command, list)
    },
  })
  return { it, droplets, calls, trouble }
}

const input = (key: string, bytes = 1000): StoredInput => ({
  key,
  bytes,
  modified: 1000,
  name: key.replace('.txt', ''),
})

function archive(inputName: string, changes: Partial<ArchiveFacts> = {}, modified = 2000): StoredArchive {
  const facts: ArchiveFacts = {
    sha256: 'a'.repeat(64),
    unpackedBytes: 1,
    program: 'p',
    input: { name: inputName, sha256: 'b'.repeat(64) },
    orthoCount: 5,
    complete: true,
    shards: [],
    limits: [],
    contentDigest: 'c',
    ...changes,
  }
  return { key: `${inputName}_1.tar.zst`, bytes: 9, modified, timestamp: 1, inputName, facts }
}

const shard = (name: string, ...shards: string[]) => archive(name, { complete: false, shards })

test('an input is covered by a complete archive, or by all shards of some n', (t) => {
  const inputs = ['a', 'b', 'c', 'd', 'e'].map((name) => input(`${name}.txt`))
  const archives = [
    archive('a'),
    archive('b', { complete: false, limits: ['maxTime'] }),
    archive('c', {}, 500),
    shard('d', '1/2'),
    shard('d', '2/2'),
    shard('e', '1/3'),
    shard('e', '2/2'),
  ]
  t.deepEqual(
    coverage(inputs, archives).map(({ state }) => state),
    ['complete', 'incomplete', 'none', 'sharded', 'incomplete'],
  )
  t.deepEqual(missingShards(archives.slice(5), 3), [2, 3])
})

test('what is not covered is planned, once for each shard that lacks', (t) => {
  const options = { inputsPerDroplet: 2, shards: 1, size: undefined, maxSeconds: 7200 }
  const covered = coverage(
    ['a', 'b', 'c', 'd'].map((name) => input(`${name}.txt`, name === 'b' ? 1e6 : 10)),
    [archive('a')],
  )
  const planned = plan(covered, options)
  t.deepEqual(
    planned.map(({ inputs }) => inputs),
    [['b.txt', 'c.txt'], ['d.txt']],
  )
  t.deepEqual(
    planned.map(({ size }) => size),
    ['s-2vcpu-4gb', 's-1vcpu-1gb'],
  )
  t.deepEqual(plan(covered, options), planned)
  const sharded = plan(coverage([input('e.txt')], [shard('e', '2/3')]), { ...options, shards: 3 })
  t.deepEqual(
    sharded.map((droplet) => droplet.shard),
    [
      { index: 1, count: 3 },
      { index: 3, count: 3 },
    ],
  )
  t.is(new Set(sharded.map(({ name }) => name)).size, 2)
})

test('prices', (t) => {
  t.is(sizeFor(10).slug, 's-1vcpu-1gb')
  t.is(cost('s-1vcpu-1gb', 60), 0.01)
  t.is(cost('s-1vcpu-1gb', 672 * 3600), 6)
  t.is(cost('g-other', 60), undefined)
})

test('orders are quoted, whatever they hold', (t) => {
  const nasty = `a'b"$(touch /tmp/x)\n\`id\`\\ END`
  const script = userData({ INPUT_FILE: nasty, OTHER: 'x' }, '#!/bin/bash\nexit 0\n')
  const home = temporary(t)
  const { stdout } = spawnSync('bash', [
    '-c',
    `${script.replaceAll('/etc/fold-worker.env', `${home}/env`).replace('exit 0', '')}\n. ${home}/env; printf %s "$INPUT_FILE"`,
  ])
  t.is(stdout.toString(), nasty)
  t.throws(() => userData({ INPUT_FILE: 'x'.repeat(60_000) }, ''), { code: 'INVALID_ARGUMENT' })
})

const request = {
  name: 'fold-1',
  size: 's-1vcpu-1gb',
  region: 'nyc3',
  tags: ['fold-worker'],
  userDataFile: '/dev/null',
}

test('doctl is asked again when the API wants patience, and never makes a droplet twice', async (t) => {
  const { it, droplets, calls, trouble } = fleet()
  const doctl = new Doctl(it)
  trouble.push({ code: 1, out: '', err: 'Error: GET: 429 API Rate limit exceeded.' })
  t.deepEqual(await doctl.list('fold-worker', never), [])
  t.is(calls.length, 2)
  // Made, but the answer is lost.
  trouble.push({ code: 1, out: '', err: 'Error: POST: 504 gateway timeout', after: true })
  await doctl.create(request, never)
  t.is(droplets.length, 1)
  trouble.push({
    code: 1,
    out: '',
    err: 'Error: POST: 422 creating this/these droplet(s) will exceed your droplet limit',
  })
  const error = await t.throwsAsync(doctl.create({ ...request, name: 'fold-2' }, never), {
    code: 'DROPLETS_FAILED',
  })
  t.regex(error.message, /droplet limit/)
  await doctl.destroy(1, never)
  await doctl.destroy(1, never)
  await t.throwsAsync(new Doctl(world()).list('x', never), {
    code: 'DROPLETS_FAILED',
    message: /no doctl here/,
  })
})

function spaces(t: ExecutionContext<unknown>, ...keys: string[]): Record<string, string> {
  const path = temporary(t)
  for (const bucket of ['fold-input', 'fold-archives']) mkdirSync(join(path, bucket))
  for (const key of keys) writeFileSync(join(path, 'fold-input', key), 'a b. a c. b d. c d.')
  return {
    DO_SPACES_ENDPOINT: `file://${path}`,
    DO_SPACES_REGION: 'nyc3',
    FOLD_WORKER_ACCESS_KEY: 'restricted-access',
    FOLD_WORKER_SECRET_KEY: 'restricted-secret',
    FOLD_MAX_TIME: '1h',
  }
}

const noLibrary = () => Promise.reject<Library>(new Error('not to be loaded'))

test('spawn --dry-run says what it would make and cost, and makes nothing', async (t) => {
  const { it, calls } = fleet(['spawn', '--dry-run', '--max-time', '2h'], spaces(t, 'a.txt', 'b c.txt'))
  const estimated: SearchInput[] = []
  const library = {
    estimate: async (text: SearchInput) => {
      estimated.push(text)
      if (estimated.length > 1) throw new FoldError('MEMORY_TOO_SMALL', 'too little')
      return expected()
    },
  } as unknown as Library
  t.is(await run(it, async () => library), 0, it.err)
  t.regex(
    it.out,
    /"a.txt": about 100,000,000,000,000 .* orthos, an archive of 218 TiB: more than s-1vcpu-1gb holds/,
  )
  t.regex(it.out, /"b c.txt": not estimated: too little/)
  t.deepEqual(
    estimated.map((text) => existsSync('path' in text ? text.path : '.')),
    [false, false],
    'what was brought here is removed',
  )
  t.regex(it.out, /^fold-[0-9a-f]{16} {2}s-1vcpu-1gb {2}"a.txt", 19 bytes, at most \$0.02$/m)
  t.regex(it.out, /2 droplets for 2 inputs[^]*at most \$0.04/)
  t.deepEqual(calls, [])
})

const state = (facts: Partial<ArchiveFacts>, top?: number) =>
  coverage([input('a.txt')], [archive('a', facts)], top).map((covered) => covered.state)

test('spawn for the optimum: inputs whose best are there are left out, and nothing is estimated', async (t) => {
  const env = { ...spaces(t, 'a.txt', 'b.txt'), FOLD_GOAL: 'optimal', FOLD_TOP: '3' }
  const { it } = fleet(['spawn', '--dry-run'], env)
  t.is(await run(it, noLibrary), 0, it.err)
  t.regex(it.out, /2 droplets for 2 inputs/)
  const sharded = fleet(['spawn', '--dry-run', '--shards', '2'], env)
  t.is(await run(sharded.it, noLibrary), 2)
  t.deepEqual(state({ complete: false, top: 3 }, 3), ['complete'])
  t.deepEqual(state({ complete: false, top: 2 }, 3), ['incomplete'])
  t.deepEqual(state({ complete: false, top: 3, limits: ['maxTime'] }, 3), ['incomplete'])
  t.deepEqual(state({ complete: false, top: 3 }), ['none'])
  t.deepEqual(state({}, 3), ['complete'])
})

test('spawn makes what lacks, once; no secret is in an argument', async (t) => {
  const env = spaces(t, 'a.txt', 'b c.txt')
  const { it, droplets, calls } = fleet(['spawn', '--keys', '--vpc', 'uuid', '--ssh-key', 'ab:cd'], env)
  t.is(await run(it, noLibrary), 0, it.err)
  t.is(droplets.length, 2)
  const [first] = droplets
  t.is(first?.mode, 0o600)
  const encoded = /<<'END'\n([^]*?)\nEND\n/.exec(first?.userData ?? '')?.[1] ?? ''
  const orders = Buffer.from(encoded, 'base64').toString()
  t.regex(orders, /INPUT_FILE='\["a.txt"\]'/)
  t.regex(orders, /DO_SPACES_SECRET_KEY='restricted-secret'/)
  t.regex(orders, /FOLD_MAX_TIME='1h'/)
  t.regex(first?.userData ?? '', /shutdown -h now/)
  t.false((JSON.stringify(calls) + it.out + it.err).includes('restricted-secret'))
  for (const call of calls) {
    const file = call[call.indexOf('--user-data-file') + 1] ?? ''
    if (call.includes('--user-data-file')) t.false(existsSync(file))
  }
  const made = droplets.length
  it.out = ''
  t.is(await run(it, noLibrary), 0)
  t.is(droplets.length, made)
  t.regex(it.out, /0 droplets for 2 inputs, of which 2 have one running/)
})

test('a fleet that was half made is said, and made whole by the next run', async (t) => {
  const { it, droplets, trouble } = fleet(['spawn', '--keys'], spaces(t, 'a.txt', 'b.txt', 'c.txt'))
  trouble.push(
    fine('[]'),
    { ...fine('[]'), after: true },
    { code: 1, out: '', err: 'Error: POST: 422 droplet limit' },
  )
  t.is(await run(it, noLibrary), 34)
  t.regex(it.err, /1 of 3 droplets were made/)
  t.is(await run(it, noLibrary), 0)
  t.is(droplets.length, 3)
  t.is(new Set(droplets.map(({ name }) => name)).size, 3)
})

test('reap destroys what is off or too old, and nothing else', async (t) => {
  const { it, droplets, trouble } = fleet(['reap'])
  const add = (id: number, status: string, hours: number, tags = ['fold-worker']) =>
    droplets.push({
      id,
      name: `d${id}`,
      status,
      created_at: new Date(it.time() - hours * 3_600_000).toISOString(),
      tags,
      size_slug: 's',
      userData: '',
      mode: 0,
    })
  add(1, 'off', 0.1)
  add(2, 'active', 1)
  add(3, 'active', 9)
  add(4, 'off', 99, ['another'])
  droplets.push({ ...(droplets[1] as Fleet['droplets'][0]), id: 5, created_at: 'nonsense' })
  t.is(await run({ ...it, args: ['reap', '--dry-run'] }, noLibrary), 0)
  t.is(droplets.length, 5)
  t.is(await run(it, noLibrary), 0, it.err)
  t.deepEqual(
    droplets.map(({ id }) => id),
    [2, 4, 5],
  )
  add(6, 'off', 1)
  add(7, 'off', 1)
  trouble.push(
    { code: 0, out: JSON.stringify(droplets), err: '' },
    { code: 1, out: '', err: 'Error: DELETE: 403 no' },
  )
  t.is(await run(it, noLibrary), 34)
  t.deepEqual(
    droplets.map(({ id }) => id),
    [2, 4, 5, 6],
  )
  t.is(await run({ ...it, args: ['reap', '--all'] }, noLibrary), 0)
  t.deepEqual(
    droplets.map(({ id }) => id),
    [4],
  )
})

const withBash = spawnSync('bash', ['--version']).status === 0 ? test : test.skip

/** Runs worker.sh with recorders in the place of what changes the machine; the package's command is `worker`. */
function workerScript(
  t: ExecutionContext<unknown>,
  worker: string,
  { npm = 'exit 0', curl = 'exit 22', node = true } = {},
) {
  const home = temporary(t)
  const bin = join(home, 'bin')
  const record = join(home, 'record')
  mkdirSync(bin)
  const put = (name: string, body: string) => {
    writeFileSync(join(bin, name), `#!/bin/bash\necho "${name} $*" >> '${record}'\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  for (const name of ['shutdown', 'iptables', 'ip6tables', 'sync', 'sleep']) put(name, 'exit 0')
  put('curl', curl)
  put('npm', npm)
  const command = join(home, 'root/node_modules/.bin/fold-worker')
  mkdirSync(join(command, '..'), { recursive: true })
  writeFileSync(command, `#!/bin/bash\necho "worker $*" >> '${record}'\n${worker}\n`)
  chmodSync(command, 0o755)
  writeFileSync(
    join(home, 'env'),
    `FOLD_PACKAGE='fold-worker@1.2.3'\nINPUT_FILE='["a b.txt"]'\nFOLD_LIFETIME='90'\nLOCAL_STATE_DIR='${home}/state'\n`,
  )
  const { status } = spawnSync('bash', [resolve('deploy/worker.sh')], {
    env: {
      PATH: bin + delimiter + (process.env['PATH'] ?? ''),
      FOLD_ENV_FILE: join(home, 'env'),
      FOLD_ROOT: join(home, 'root'),
      FOLD_LOG: join(home, 'log'),
      ...(node && { FOLD_NODE_BIN: bin }),
    },
  })
  return {
    status,
    lines: readFileSync(record, 'utf8').split('\n').filter(Boolean),
    log: readFileSync(join(home, 'log'), 'utf8'),
  }
}

for (const [what, worker, options, code, starts] of [
  ['ends well', 'exit 0', {}, 0, 1],
  ['fails for good', 'exit 5', {}, 5, 1],
  ['crashes', 'exit 139', {}, 139, 3],
  ['finds the storage away', 'exit 26', {}, 26, 3],
  ['cannot be installed', 'exit 0', { npm: 'exit 1' }, 1, 0],
  ['has no Node', 'exit 0', { node: false }, 1, 0],
  [
    'is given another Node than it should be',
    'exit 0',
    { node: false, curl: 'echo evil > node.tar.xz' },
    1,
    0,
  ],
] as const) {
  withBash(`worker.sh shuts the machine down when the worker ${what}`, (t) => {
    const { status, lines, log } = workerScript(t, worker, options)
    t.is(status, code, log)
    t.is(lines.at(-1), 'shutdown -h now')
    t.is(lines[0], 'shutdown -h +4')
    t.true(lines.includes('iptables -P INPUT DROP'))
    t.is(lines.filter((line) => line.startsWith('worker')).length, starts)
    t.true(
      lines.some((line) => line.includes('--ignore-scripts') && line.includes('fold-worker@1.2.3')) ||
        starts === 0,
    )
  })
}

withBash('worker.sh gives the worker its orders', (t) => {
  const { lines } = workerScript(t, `echo "orders $INPUT_FILE" >> "$(dirname "$LOCAL_STATE_DIR")/record"`)
  t.true(lines.includes('orders ["a b.txt"]'))
  t.true(lines.includes('worker --mode cloud-worker'))
})
