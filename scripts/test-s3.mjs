/* oxlint-disable no-console, node/no-process-env, unicorn/no-process-exit -- a script */
// The tests that need a real S3 server (versitygw), a proxy that breaks connections (toxiproxy), or a clean Debian root. Both
// servers are built once with Go into a directory of the user's cache; without Go, the tests are skipped and that is said.
//
//   npm run test:s3 [-- AVA OPTIONS]
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const TOOLS = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'fold-worker-tools')
const WANTED = {
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
  toxiproxy: 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0',
}

if (spawnSync('go', ['version']).status !== 0) {
  console.log('test:s3 skipped: the servers that it needs are built with Go, and there is no Go here')
  process.exit(0)
}
mkdirSync(TOOLS, { recursive: true })
for (const [name, source] of Object.entries(WANTED)) {
  if (existsSync(join(TOOLS, name))) continue
  console.log(`building ${source}`)
  execFileSync('go', ['install', source], {
    stdio: 'inherit',
    env: { ...process.env, GOBIN: join(TOOLS, 'new') },
  })
  renameSync(join(TOOLS, 'new', source.match(/([^/]+)@/)[1]), join(TOOLS, name))
}
const { status } = spawnSync('npx', ['ava', '__test__/s3/**/*.test.ts', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, FOLD_S3_TOOLS: TOOLS },
})
process.exit(status ?? 1)
