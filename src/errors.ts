/**
 * The one error class, and the table of codes with their exit codes.
 *
 * Codes are stable: scripts may branch on them. The first group is the core's (`native/core/src/error.rs`), the
 * second arises on this side only. README.md quotes the table; a test keeps all three equal.
 */

/** Exit code of the command line for every error code; each is different. */
export const EXIT_CODES = {
  INTERNAL: 1,
  INVALID_ARGUMENT: 2,
  INPUT_NOT_FOUND: 3,
  INPUT_UNREADABLE: 4,
  INPUT_NOT_UTF8: 5,
  INPUT_TOO_LARGE: 6,
  OUTPUT_EXISTS: 7,
  DISK_FULL: 8,
  NOT_WRITABLE: 9,
  IO: 10,
  NOT_AN_ARCHIVE: 11,
  DAMAGED: 12,
  NEWER_FORMAT: 13,
  MEMORY_TOO_SMALL: 14,
  CLOSED: 15,
  TOKENIZER_DIFFERS: 20,
  CANCELLED: 130,

  SOME_INPUTS_FAILED: 16,
  NO_ADDON: 17,
  LIMIT_REACHED: 18,
  INPUTS_CONFLICT: 19,
  INPUTS_LEFT: 21,
  ENVIRONMENT_INVALID: 23,
  STORAGE_DENIED: 24,
  BUCKET_NOT_FOUND: 25,
  STORAGE_UNAVAILABLE: 26,
  TRANSFER_DAMAGED: 27,
  ARCHIVE_UNSAFE: 28,
  URL_EXPIRED: 29,
  CLOCK_SKEWED: 30,
  STORAGE_FAILED: 31,
  STATE_IN_USE: 32,
  STOPPED_INCOMPLETE: 33,
  DROPLETS_FAILED: 34,
  ARCHIVE_EXISTS: 35,
  TEXT_DIFFERS: 40,
  PROBLEMS_FOUND: 41,
  TERMINATED: 143,
} as const

/** A stable name of what went wrong. */
export type ErrorCode = keyof typeof EXIT_CODES

/** Memory that is missing. */
export interface Shortfall {
  /** What needs it. */
  what: string
  /** Bytes that would do. */
  needed: number
  /** Bytes that there are. */
  budget: number
}

/** What every function of this package throws or rejects with. */
export class FoldError extends Error {
  override readonly name = 'FoldError'
  /** The stable code to branch on. */
  readonly code: ErrorCode

  /** What of memory is missing, in bytes of the part that needs it; only with code `MEMORY_TOO_SMALL`. */
  readonly shortfall?: Shortfall

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; shortfall?: Shortfall }) {
    super(message, options)
    this.code = code
    if (options?.shortfall) this.shortfall = options.shortfall
  }

  /** What the command line exits with for this error. */
  get exitCode(): number {
    return EXIT_CODES[this.code]
  }
}

function isCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(EXIT_CODES, text)
}

/** The form in which the addon passes an error of the core through the message of a JavaScript one. */
interface NativeFailure {
  code: string
  message: string
  /** Messages of the causes, the nearest first. */
  causes: string[]
  shortfall?: Shortfall
}

function parseNative(text: string): NativeFailure | undefined {
  if (!text.startsWith('{"code":')) return undefined
  try {
    return JSON.parse(text) as NativeFailure
  } catch {
    return undefined
  }
}

const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'INPUT_NOT_FOUND',
  EISDIR: 'INPUT_UNREADABLE',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EACCES: 'NOT_WRITABLE',
  EPERM: 'NOT_WRITABLE',
  EROFS: 'NOT_WRITABLE',
  EEXIST: 'OUTPUT_EXISTS',
}

/** The system's own code (such as `ENOENT`) of an error that Node raised, if it has one. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Any thrown value as a {@link FoldError}: the addon's are taken apart, the system's named, others are a defect. */
export function toFoldError(thrown: unknown): FoldError {
  if (thrown instanceof FoldError) return thrown
  if (!(thrown instanceof Error)) return new FoldError('INTERNAL', String(thrown))
  const native = parseNative(thrown.message)
  if (native) {
    const cause = native.causes.reduceRight<Error | undefined>(
      (inner, message) => new Error(message, inner && { cause: inner }),
      undefined,
    )
    const code = isCode(native.code) ? native.code : 'INTERNAL'
    const { shortfall } = native
    return new FoldError(code, native.message, { ...(cause && { cause }), ...(shortfall && { shortfall }) })
  }
  const system = systemCode(thrown)
  if (system && 'syscall' in thrown) {
    return new FoldError(SYSTEM_CODES[system] ?? 'IO', thrown.message, { cause: thrown })
  }
  return new FoldError('INTERNAL', thrown.message, { cause: thrown })
}

/** Throws if the signal has been aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal)
}

/** The error of a run that its caller stopped. An abort reason that is a {@link FoldError} is kept as it is. */
export function cancelled(signal: AbortSignal): FoldError {
  if (signal.reason instanceof FoldError) return signal.reason
  return new FoldError('CANCELLED', 'stopped as asked; nothing was left half-written', {
    cause: signal.reason,
  })
}
