/** A real S3 server and a proxy that breaks connections, for tests that `npm run test:s3` runs. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { temporary } from './world.js'

const TOOLS = process.env['FOLD_S3_TOOLS']

/** `test`, or where the servers are not there, a test that is skipped: `npm run test:s3` brings them. */
export const s3Test = (
  TOOLS ? anyTest : Object.assign(anyTest.skip, { serial: anyTest.serial.skip })
) as TestFn

export const ROOT = { accessKeyId: 'root-access', secretAccessKey: 'root-secret-planted' }

export interface S3Server {
  endpoint: string
  port: number
  /** As the owner of everything. */
  root: S3Client
  put(
    bucket: string,
    key: string,
    body: NonNullable<PutObjectCommandInput['Body']>,
    metadata?: Record<string, string>,
  ): Promise<void>
  /** Makes a user who may do what the policies of the buckets say. */
  addUser(access: string, secret: string): Promise<void>
  policy(bucket: string, statements: object[]): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.on('connect', () => socket.destroy()).on('error', () => resolve(false))
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`nothing listens at port ${port}`)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exit
}

/** Starts a server with the two buckets, which ends with the test. */
export async function s3Server(t: ExecutionContext<unknown>): Promise<S3Server> {
  const home = temporary(t)
  const [iam, data] = ['iam', 'data'].map((name) => join(home, name)) as [string, string]
  mkdirSync(iam)
  mkdirSync(data)
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const start = async () => {
    child = spawn(
      join(TOOLS ?? '', 'versitygw'),
      ['--port', `127.0.0.1:${port}`, '--quiet', '--iam-dir', iam, 'posix', data],
      {
        stdio: 'ignore',
        env: { ROOT_ACCESS_KEY: ROOT.accessKeyId, ROOT_SECRET_KEY: ROOT.secretAccessKey },
      },
    )
    await listening(port)
  }
  const stop = async () => child && ended(child)
  await start()
  t.teardown(stop)
  const root = new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: ROOT,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  t.teardown(() => root.destroy())
  for (const Bucket of ['fold-input', 'fold-archives']) await root.send(new CreateBucketCommand({ Bucket }))
  return {
    endpoint,
    port,
    root,
    start,
    stop: async () => {
      await stop()
    },
    async put(Bucket, Key, Body, Metadata) {
      await root.send(new PutObjectCommand({ Bucket, Key, Body, ...(Metadata && { Metadata }) }))
    },
    async addUser(access, secret) {
      const admin = spawn(
        join(TOOLS ?? '', 'versitygw'),
        [
          'admin',
          '--endpoint-url',
          endpoint,
          'create-user',
          '--access',
          access,
          '--secret',
          secret,
          '--role',
          'user',
        ],
        {
          stdio: 'inherit',
          env: { ADMIN_ACCESS_KEY_ID: ROOT.accessKeyId, ADMIN_SECRET_ACCESS_KEY: ROOT.secretAccessKey },
        },
      )
      const code = await new Promise((resolve) => admin.once('exit', resolve))
      if (code !== 0) throw new Error(`the user could not be made: ${String(code)}`)
    },
    async policy(Bucket, statements) {
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements })
      await root.send(new PutBucketPolicyCommand({ Bucket, Policy }))
    },
  }
}

/** What the environment of a worker holds for this server. */
export function environment(endpoint: string, user = ROOT): Record<string, string> {
  return {
    DO_SPACES_ENDPOINT: endpoint,
    DO_SPACES_REGION: 'us-east-1',
    DO_SPACES_ACCESS_KEY: user.accessKeyId,
    DO_SPACES_SECRET_KEY: user.secretAccessKey,
    FOLD_TRANSFER_TIME: '5m',
  }
}

export interface FaultyProxy {
  endpoint: string
  /** Adds a fault, see toxiproxy. */
  add(type: string, attributes: Record<string, number>, stream?: 'upstream' | 'downstream'): Promise<void>
  /** Connections work again. */
  clear(): Promise<void>
  enable(on: boolean): Promise<void>
}

/** A proxy before the server that does as it is told. */
export async function faultyProxy(t: ExecutionContext<unknown>, to: number): Promise<FaultyProxy> {
  const [control, port] = [await freePort(), await freePort()]
  const child = spawn(join(TOOLS ?? '', 'toxiproxy'), ['-host', '127.0.0.1', '-port', String(control)], {
    stdio: 'ignore',
  })
  t.teardown(() => ended(child))
  await listening(control)
  const ask = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`http://127.0.0.1:${control}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`toxiproxy: ${await answer.text()}`)
  }
  await ask('POST', '/proxies', {
    name: 's3',
    listen: `127.0.0.1:${port}`,
    upstream: `127.0.0.1:${to}`,
    enabled: true,
  })
  return {
    endpoint: `http://127.0.0.1:${port}`,
    add: (type, attributes, stream = 'downstream') =>
      ask('POST', '/proxies/s3/toxics', { type, name: type, stream, attributes }),
    clear: () => ask('POST', '/reset'),
    enable: (enabled) => ask('POST', '/proxies/s3', { enabled }),
  }
}
