/* oxlint-disable no-console, node/no-process-env, unicorn/no-process-exit -- a script */
// The tests that need a real S3 server (versitygw) and a proxy that breaks connections (toxiproxy). Both are built once with
// Go; where they are not and there is no Go, the tests are skipped and that is said.
//
//   npm run test:s3 [-- AVA OPTIONS]
import { spawnSync } from 'node:child_process'
import { s3Tools } from './lib/s3-tools.mjs'

const tools = s3Tools()
if (!tools) {
  console.log('test:s3 skipped: the servers that it needs are built with Go, and there is no Go here')
  process.exit(0)
}
// One after the other: each has a server of its own, and what they assert about a slow network is not about a busy machine.
const { status } = spawnSync(
  'npx',
  ['ava', '--serial', '--concurrency=1', '__test__/s3/**/*.test.ts', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, FOLD_S3_TOOLS: tools },
  },
)
process.exit(status ?? 1)
