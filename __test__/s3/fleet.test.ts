/**
 * A fleet from its orders to its end, by the built program and a real S3 server: `doctl` is a recorder on the path, and
 * what it was given for a droplet is what a worker is then started with.
 */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { S3IO } from '../../src/storage/s3-io.js'
import { collect } from '../support/compressed-archives.js'
import { foldWorker } from '../support/program.js'
import { ROOT, environment, s3Server, s3Test as test } from '../support/s3-server.js'
import { SQUARE, manySquares } from '../support/texts.js'
import { temporary } from '../support/world.js'

/** Accepts the flags that doctl documents for these commands and no others; keeps droplets in a file. */
const DOCTL = `
const fs = require('node:fs')
const FLAGS = {
  create: ['--image', '--size', '--region', '--tag-names', '--user-data-file', '--vpc-uuid', '--ssh-keys', '--output'],
  list: ['--tag-name', '--output'],
  delete: ['--force'],
}
const args = process.argv.slice(2)
const [compute, droplet, command, name] = args
const file = process.env.DOCTL_STATE
const state = JSON.parse(fs.readFileSync(file, 'utf8'))
const fail = (text) => { console.error('Error: ' + text); process.exit(1) }
const flag = (wanted) => args[args.indexOf(wanted) + 1]
if (compute !== 'compute' || droplet !== 'droplet' || !FLAGS[command]) fail('unknown command')
const unknown = args.find((arg) => arg.startsWith('--') && !FLAGS[command].includes(arg))
if (unknown) fail('unknown flag: ' + unknown)
state.calls.push(args)
const trouble = state.trouble.shift()
if (command === 'create' && !trouble) {
  const path = flag('--user-data-file')
  state.droplets.push({
    id: state.calls.length, name, status: 'new', created_at: new Date().toISOString(),
    tags: flag('--tag-names').split(','), size_slug: flag('--size'),
    userData: fs.readFileSync(path, 'utf8'), mode: fs.statSync(path).mode & 0o777,
  })
}
if (command === 'delete') state.droplets = state.droplets.filter(({ id }) => String(id) !== name)
fs.writeFileSync(file, JSON.stringify(state))
if (trouble) fail(trouble)
if (command === 'list') console.log(JSON.stringify(state.droplets.map(({ userData, mode, ...rest }) => rest)))
`

interface Doctl {
  calls: string[][]
  trouble: string[]
  droplets: { name: string; status: string; userData: string; mode: number; size_slug: string }[]
}

test.serial('spawned by presigned URLs, the work done by what the droplets were told, reaped', async (t) => {
  const server = await s3Server(t)
  await server.put('fold-input', 'books/a b+ü.txt', SQUARE)
  await server.put('fold-input', "books/it's.txt", manySquares(5))
  await server.put('fold-input', 'other.txt', 'x y.')
  const bin = temporary(t)
  const scratch = temporary(t)
  writeFileSync(join(bin, 'doctl'), `#!${process.execPath}\n${DOCTL}`)
  chmodSync(join(bin, 'doctl'), 0o755)
  const file = join(bin, 'state.json')
  const read = () => JSON.parse(readFileSync(file, 'utf8')) as Doctl
  const change = (edit: (state: Doctl) => void) => {
    const state = read()
    edit(state)
    writeFileSync(file, JSON.stringify(state))
  }
  writeFileSync(file, JSON.stringify({ calls: [], trouble: [], droplets: [] }))
  const env = {
    ...environment(server.endpoint),
    PATH: bin + delimiter + (process.env['PATH'] ?? ''),
    DOCTL_STATE: file,
    TMPDIR: scratch,
  }
  const run = (args: string[], code = 0) => {
    const outcome = foldWorker(args, { env })
    t.is(outcome.code, code, outcome.err + outcome.out)
    return outcome
  }
  const spawn = ['spawn', '--region', 'nyc3', '--prefix', 'books/']
  t.regex(run([...spawn, '--dry-run']).out, /2 droplets for 2 inputs/)
  t.deepEqual(read().calls, [])

  change(({ trouble }) => trouble.push('GET: 429 API Rate limit exceeded.'))
  run(spawn)
  const { droplets, calls } = read()
  t.is(droplets.length, 2)
  t.true(droplets.every(({ mode }) => mode === 0o600))
  t.false(JSON.stringify(calls).includes('Signature'))
  // The droplets are there: nothing is made again.
  t.regex(run(spawn).out, /0 droplets for 2 inputs, of which 2 have one running/)

  for (const { userData } of droplets) {
    const orders = Buffer.from(/<<'END'\n([^]*?)\nEND\n/.exec(userData)?.[1] ?? '', 'base64').toString()
    const told = Object.fromEntries(
      [...orders.matchAll(/^(\w+)='(.*)'$/gm)].map(([, name, value]) => [
        name,
        value?.replaceAll(`'\\''`, "'"),
      ]),
    ) as Record<string, string>
    t.false(JSON.stringify(told).includes(ROOT.secretAccessKey))
    t.regex(told['FOLD_PACKAGE'] ?? '', /^fold-worker@\d+\.\d+\.\d+$/)
    const clean = { DO_SPACES_ACCESS_KEY: '', DO_SPACES_SECRET_KEY: '', DO_SPACES_ENDPOINT: '' }
    const worker = foldWorker(['--mode', 'cloud-worker'], {
      env: { ...clean, ...told, LOCAL_STATE_DIR: temporary(t) },
    })
    t.is(worker.code, 0, worker.out + worker.err)
    t.false(worker.out.includes('Signature'))
  }
  const archives = await collect(S3IO.fromEnv(environment(server.endpoint)).listArchives())
  t.deepEqual(archives.map(({ inputName, facts }) => [inputName, facts?.complete]).sort(), [
    ['books/a b+ü', true],
    ["books/it's", true],
  ])

  change((state) => {
    const [first] = state.droplets
    if (first) first.status = 'off'
    state.trouble.push('GET: 503 service unavailable')
  })
  t.regex(run(['reap']).out, /destroyed fold-\S+ \(\d+\), off[^]*1 droplets are left/)
  // All inputs have a complete archive: nothing to make, whatever runs.
  t.regex(run(spawn).out, /0 droplets for 2 inputs, of which 0 have one running/)
  t.regex(run(['reap', '--all']).out, /no droplet with the tag fold-worker is left/)
  t.deepEqual(read().droplets, [])

  // Half a fleet: the second is refused, and the next run makes it.
  await server.put('fold-input', 'books/c.txt', SQUARE)
  await server.put('fold-input', 'books/d.txt', SQUARE)
  change(({ trouble }) => trouble.push('', '', 'POST: 422 creating this will exceed your droplet limit'))
  t.regex(run(spawn, 34).err, /1 of 2 droplets were made/)
  run(spawn)
  t.is(new Set(read().droplets.map(({ name }) => name)).size, 2)
  t.is(read().droplets.length, 2)
  t.is(statSync(scratch).nlink, 2)
})
