/**
 * What a failure of the network or of a storage means: whether it can pass, and how people are told.
 *
 * What a server sends is not repeated to people but for its error name, as it may quote keys and signatures.
 */
import { FoldError, systemCode, toFoldError, type ErrorCode } from '../errors.js'

/** A failure and what to do about it. */
export interface Verdict {
  /** `lasting`: do not try again. `brief`: a few times. `passing`: as long as there is time. */
  kind: 'passing' | 'brief' | 'lasting'
  error: FoldError
}

/** An answer over HTTP that is not a success. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure'
  readonly status: number
  /** The name that S3 gives to the error; empty if it sent none. */
  readonly reason: string

  constructor(status: number, reason: string) {
    super(reason === '' ? `HTTP ${status}` : `${reason} (HTTP ${status})`)
    this.status = status
    this.reason = reason
  }
}

/** A transfer that broke off: fewer bytes than were announced, or none for too long. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

const PASSING_STATUS = new Set([408, 425, 429, 500, 502, 503, 504, 509])
const PASSING_REASONS = new Set([
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'InternalError',
  'ServiceUnavailable',
  'OperationAborted',
  'ConditionalRequestConflict',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
])
const PASSING_SYSTEM = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_CONSTANT',
])
const PASSING_NAMES = new Set(['TimeoutError', 'Interrupted', 'NetworkingError'])
const TLS = /^(?:ERR_TLS|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_SSL)/

/** Judges what was thrown while doing `what`, such as "reading s3://bucket/key". */
export function judge(thrown: unknown, what: string): Verdict {
  if (thrown instanceof FoldError) return { kind: 'lasting', error: thrown }
  const http = httpFailure(thrown)
  if (http) return judgeHttp(http, what, clockCorrected(thrown))
  const system = systemCode(thrown) ?? systemCode((thrown as { cause?: unknown } | undefined)?.cause)
  const name = thrown instanceof Error ? thrown.name : ''
  if ((system && PASSING_SYSTEM.has(system)) || PASSING_NAMES.has(name)) {
    return { kind: 'passing', error: unavailable(what, thrown) }
  }
  if (system === 'ENOTFOUND') {
    return {
      kind: 'brief',
      error: failure('STORAGE_UNAVAILABLE', what, 'the name of the endpoint is not known; check it', thrown),
    }
  }
  if (system && TLS.test(system)) {
    return {
      kind: 'lasting',
      error: failure('STORAGE_FAILED', what, 'the endpoint cannot prove what it is (TLS)', thrown),
    }
  }
  if (thrown instanceof SyntaxError || /pars|deserializ/i.test(name)) {
    return { kind: 'brief', error: failure('STORAGE_FAILED', what, 'the answer makes no sense', thrown) }
  }
  return { kind: 'lasting', error: toFoldError(thrown) }
}

/** The status and error name of an answer, in whatever form it was thrown. */
export function httpFailure(thrown: unknown): HttpFailure | undefined {
  if (thrown instanceof HttpFailure) return thrown
  const { $metadata, name, Code } = (thrown ?? {}) as {
    $metadata?: { httpStatusCode?: number }
    name?: string
    Code?: string
  }
  const status = $metadata?.httpStatusCode
  // A success whose body could not be understood is no answer.
  if (status === undefined || status < 300) return undefined
  const reason = [Code, name].find((text) => text && /^[A-Za-z0-9]{1,60}$/.test(text) && text !== 'Unknown')
  return new HttpFailure(status, reason ?? '')
}

function clockCorrected(thrown: unknown): boolean {
  return (thrown as { $metadata?: { clockSkewCorrected?: boolean } }).$metadata?.clockSkewCorrected === true
}

function judgeHttp(answer: HttpFailure, what: string, clockWasCorrected: boolean): Verdict {
  const { status, reason } = answer
  const say = (kind: Verdict['kind'], code: ErrorCode, why: string): Verdict => ({
    kind,
    error: failure(code, what, why, answer),
  })
  if (reason === 'RequestTimeTooSkewed' || reason === 'RequestInTheFuture') {
    const why = 'the clock of this machine is more than 15 minutes off; set it, and start again'
    return say('brief', 'CLOCK_SKEWED', why)
  }
  if (PASSING_STATUS.has(status) || PASSING_REASONS.has(reason)) {
    return { kind: 'passing', error: unavailable(what, answer) }
  }
  if (status === 401 || status === 403 || reason === 'ExpiredToken' || reason === 'InvalidToken') {
    return say(clockWasCorrected ? 'brief' : 'lasting', 'STORAGE_DENIED', whyDenied(reason))
  }
  if (reason === 'NoSuchBucket') {
    return say('lasting', 'BUCKET_NOT_FOUND', 'there is no such bucket; check its name and the region')
  }
  if (status === 404) return say('lasting', 'INPUT_NOT_FOUND', 'there is no such object')
  if (status >= 300 && status < 400) {
    return say('lasting', 'STORAGE_FAILED', 'the bucket is elsewhere; check the endpoint and the region')
  }
  return say('lasting', 'STORAGE_FAILED', `the storage answered ${answer.message}`)
}

function whyDenied(reason: string): string {
  if (reason === 'InvalidAccessKeyId') return 'the storage does not know the access key'
  if (reason === 'SignatureDoesNotMatch') return 'the secret key does not belong to the access key'
  return 'the storage denies it; check the keys, and that they may do this in this bucket'
}

function unavailable(what: string, cause: unknown): FoldError {
  return failure(
    'STORAGE_UNAVAILABLE',
    what,
    'the storage did not answer as it should; try again later',
    cause,
  )
}

function failure(code: ErrorCode, what: string, why: string, cause: unknown): FoldError {
  return new FoldError(code, `${what} failed: ${why}`, { cause: withoutSecrets(cause) })
}

/** Only the name and number of an answer; other errors are the system's and name addresses at most. */
function withoutSecrets(cause: unknown): Error {
  const answer = httpFailure(cause)
  if (answer) return answer
  const system = systemCode(cause)
  const message = cause instanceof Error ? cause.message : String(cause)
  return new Error(system && !message.includes(system) ? `${system}: ${message}` : message)
}
