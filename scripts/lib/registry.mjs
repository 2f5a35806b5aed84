// A package registry on this machine that has the tarballs of one directory and sends requests for all else on to the real
// one, so that npm itself chooses among our packages as it will after they are published. It keeps a list of what was asked.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

export async function startRegistry(directory, upstream) {
  const packages = new Map()
  for (const file of readdirSync(directory)) {
    if (!file.endsWith('.tgz')) continue
    const inside = ['-xzOf', file, 'package/package.json']
    const manifest = JSON.parse(execFileSync('tar', inside, { cwd: directory, encoding: 'utf8' }))
    packages.set(manifest.name, { file, manifest })
  }
  const asked = new Set()
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://host').pathname).slice(1)
    const own = packages.get(path)
    if (path.endsWith('.tgz') && readdirSync(directory).includes(path)) {
      response.end(readFileSync(join(directory, path)))
    } else if (own) {
      asked.add(path)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(packument(own)))
    } else {
      if (!path.startsWith('-/')) asked.add(path.replace(/\/-\/.*/, ''))
      response.writeHead(302, { location: new URL(request.url.slice(1), upstream).href }).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}/`

  function packument({ file, manifest }) {
    const bytes = readFileSync(join(directory, file))
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    const version = { ...manifest, dist: { tarball: `${url}${file}`, integrity } }
    return {
      name: manifest.name,
      'dist-tags': { latest: manifest.version },
      versions: { [manifest.version]: version },
    }
  }
  return { url, asked, packages: [...packages.keys()], close: () => server.close() }
}
