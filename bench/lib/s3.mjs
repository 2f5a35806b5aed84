// An S3 server of its own for a measurement, and how the program and rclone are told of it.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { s3Tools } from '../../scripts/lib/s3-tools.mjs'

const KEYS = { access: 'bench-access', secret: 'bench-secret-key' }
const BUCKETS = ['fold-input', 'fold-archives']

/** Starts versitygw with the two buckets below a directory; undefined where it cannot be had. */
export async function startS3(directory) {
  const tools = s3Tools()
  if (tools === undefined) return undefined
  const data = join(directory, 'data')
  // In this server a bucket is a directory.
  for (const name of BUCKETS) mkdirSync(join(data, name), { recursive: true })
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const child = spawn(join(tools, 'versitygw'), ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', data], {
    stdio: 'ignore',
    env: { ROOT_ACCESS_KEY: KEYS.access, ROOT_SECRET_KEY: KEYS.secret },
  })
  process.on('exit', () => child.kill('SIGKILL'))
  await listening(port)
  return {
    data,
    environment: {
      DO_SPACES_ENDPOINT: endpoint,
      DO_SPACES_ACCESS_KEY: KEYS.access,
      DO_SPACES_SECRET_KEY: KEYS.secret,
    },
    /** A remote called `bench:`. */
    rclone: {
      // Debian's rclone cannot be told of certificates.
      AWS_CA_BUNDLE: undefined,
      // With each part it waits up to a second for an answer that this server does not give: three times as long in all.
      RCLONE_EXPECT_CONTINUE_TIMEOUT: '0',
      RCLONE_CONFIG_BENCH_TYPE: 's3',
      RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
      RCLONE_CONFIG_BENCH_NO_CHECK_BUCKET: 'true',
      RCLONE_CONFIG_BENCH_ENDPOINT: endpoint,
      RCLONE_CONFIG_BENCH_REGION: 'us-east-1',
      RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: KEYS.access,
      RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: KEYS.secret,
    },
    stop: () => child.kill('SIGKILL'),
  }
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function listening(port) {
  for (let tries = 0; tries < 200; tries += 1) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.on('connect', () => socket.destroy()).on('error', () => resolve(false))
    })
    if (open) return
    await sleep(50)
  }
  throw new Error(`nothing listens at port ${port}`)
}
