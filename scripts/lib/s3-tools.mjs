/* oxlint-disable no-console, node/no-process-env -- for scripts */
// The S3 server and the proxy that breaks connections, built once with Go into a directory of the user's cache.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const TOOLS = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fold-worker-tools')
const WANTED = {
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
  toxiproxy: 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0',
}

/** The directory that has `versitygw` and `toxiproxy`; undefined if they are not there and cannot be built. */
export function s3Tools() {
  const missing = Object.entries(WANTED).filter(([name]) => !existsSync(join(TOOLS, name)))
  if (missing.length > 0 && spawnSync('go', ['version']).status !== 0) return undefined
  mkdirSync(TOOLS, { recursive: true })
  for (const [name, source] of missing) {
    console.error(`building ${source}`)
    execFileSync('go', ['install', source], {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, GOBIN: join(TOOLS, 'new') },
    })
    renameSync(join(TOOLS, 'new', source.match(/([^/]+)@/)[1]), join(TOOLS, name))
  }
  return TOOLS
}
