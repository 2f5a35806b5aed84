/** One request over HTTP or HTTPS with a known length and a stream back: what presigned URLs need. */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { HttpFailure, Interrupted } from './failures.js'

/** Milliseconds without a byte either way after which a connection counts as dead. */
export const IDLE_TIME = 60_000
const LONGEST_ERROR = 64 * 1024

/** Sends a request; resolves with a success (2xx) and rejects with an {@link HttpFailure} otherwise. */
export async function request(
  method: 'GET' | 'PUT',
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  body?: AsyncIterable<Uint8Array>,
): Promise<IncomingMessage> {
  const { request: open } = url.startsWith('https:') ? await import('node:https') : await import('node:http')
  const options: RequestOptions = { method, headers, signal, timeout: IDLE_TIME }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = open(url, options, resolve)
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Interrupted(`nothing was heard for ${IDLE_TIME / 1000} s`)))
    send(sent, body).catch((error: unknown) => sent.destroy(error as Error))
  })
  const { statusCode = 0 } = response
  if (statusCode >= 200 && statusCode < 300) return response
  throw new HttpFailure(statusCode, await reasonOf(response))
}

async function send(sent: ClientRequest, body: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  if (!body) return void sent.end()
  const { pipeline } = await import('node:stream/promises')
  await pipeline(body, sent)
}

/** The error name in an answer of S3. */
async function reasonOf(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    for await (const chunk of response) {
      text += String(chunk)
      if (text.length > LONGEST_ERROR) break
    }
  } catch {
    // The status says enough.
  }
  return /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(text)?.[1] ?? ''
}
