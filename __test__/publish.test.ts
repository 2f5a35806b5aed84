/** The release script, against a registry on this machine that takes what it is given. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { temporary } from './support/world.js'

interface Manifest {
  name: string
  version: string
  optionalDependencies?: Record<string, string>
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const MAIN: Manifest = {
  name: 'fold-worker',
  version,
  optionalDependencies: { 'fold-worker-a': version, 'fold-worker-b': version },
}

/** A registry that remembers in which order packages were put into it; `status` is what it answers questions with. */
async function registry(t: ExecutionContext, { status = 200, refuse = '' } = {}) {
  const published: string[] = []
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url ?? '').slice(1)
    if (request.method === 'PUT') {
      if (name !== refuse) published.push(name)
      response.writeHead(name === refuse ? 400 : 201).end('{}')
    } else if (status !== 200) response.writeHead(status).end('{}')
    else if (!published.includes(name)) response.writeHead(404).end('{}')
    else
      response.end(
        JSON.stringify({
          name,
          'dist-tags': { latest: version },
          versions: { [version]: { name, version } },
        }),
      )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { published, port: (server.address() as AddressInfo).port }
}

function pack(t: ExecutionContext, manifests: Manifest[]): string {
  const directory = temporary(t)
  for (const manifest of manifests) {
    const source = join(directory, manifest.name)
    mkdirSync(source)
    writeFileSync(join(source, 'package.json'), JSON.stringify(manifest))
    spawnSync('npm', ['pack', '--pack-destination', directory], { cwd: source })
  }
  return directory
}

async function publish(t: ExecutionContext, port: number, args: string[]) {
  const home = temporary(t)
  const address = `127.0.0.1:${port}/`
  writeFileSync(
    join(home, '.npmrc'),
    `registry=http://${address}\n//${address}:_authToken=none\nfetch-retries=0\n`,
  )
  const env = {
    ...process.env,
    npm_config_userconfig: join(home, '.npmrc'),
    npm_config_cache: join(home, 'cache'),
    GITHUB_ACTIONS: '',
  }
  const child = spawn(process.execPath, ['scripts/publish.mjs', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  return await new Promise<{ code: number | null; said: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, said }))
  })
}

const PARTS = ['a', 'b'].map((part) => ({ name: `fold-worker-${part}`, version }))

test('the parts are published before the whole, and nothing twice', async (t) => {
  const { published, port } = await registry(t)
  const directory = pack(t, [MAIN, ...PARTS])
  t.like(await publish(t, port, ['--due']), { code: 0, said: 'due=true\n' })
  t.is((await publish(t, port, ['--directory', directory])).code, 0)
  t.deepEqual(
    [...published.slice(0, 2).sort(), published[2]],
    ['fold-worker-a', 'fold-worker-b', 'fold-worker'],
  )
  t.like(await publish(t, port, ['--due']), { code: 0, said: 'due=false\n' })
  t.regex((await publish(t, port, ['--directory', directory])).said, /published already/)
  t.is(published.length, 3)
})

test('when a part is refused, the whole is not published', async (t) => {
  const { published, port } = await registry(t, { refuse: 'fold-worker-b' })
  t.not((await publish(t, port, ['--directory', pack(t, [MAIN, ...PARTS])])).code, 0)
  t.false(published.includes('fold-worker'))
})

test('without all the parts, nothing is published', async (t) => {
  const { published, port } = await registry(t)
  const { code, said } = await publish(t, port, ['--directory', pack(t, [MAIN, ...PARTS.slice(1)])])
  t.is(code, 1)
  t.regex(said, /lacks: fold-worker-a/)
  t.deepEqual(published, [])
})

test('a registry that cannot be asked is no reason to publish', async (t) => {
  const { published, port } = await registry(t, { status: 500 })
  t.not((await publish(t, port, ['--due'])).code, 0)
  t.not((await publish(t, port, ['--directory', pack(t, [MAIN, ...PARTS])])).code, 0)
  t.deepEqual(published, [])
})
