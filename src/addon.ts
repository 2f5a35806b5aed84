/**
 * Loads the native addon, once and only when it is needed, and says what this side expects of it.
 * The addon converts and nothing else; what its functions mean is said where they are wrapped.
 */
import { createRequire } from 'node:module'
import { host } from './effects.js'
import { toFoldError } from './errors.js'
import { loadBuild } from './platform.js'
import type { PackedRecords } from './records.js'
import { version } from './version.js'
import type * as Native from '../native/addon/index.cjs'

/** A running operation's remote control. */
export interface NativeControl {
  cancel(): void
  /** A search ends as at a limit. */
  finishEarly(): void
  /** A snapshot as JSON, see `Progress`. */
  progress(): string
}

export interface NativeLimits {
  maxOrthos?: number
  maxTime?: number
  maxDisk?: number
  diskReserve?: number
  maxDims?: number
}

export interface NativeSearchRequest {
  path?: string
  bytes?: Uint8Array
  name: string
  out: string
  memory: number
  threads: number
  limits: NativeLimits
  shard?: { index: number; count: number }
  continueFrom?: string
  /** Only so many of the best. */
  top?: number
}

export interface NativeMergeRequest {
  archives: string[]
  out: string
  memory: number
  threads: number
  limits: NativeLimits
  /** Whether only the best of all texts together are wanted. */
  optimal: boolean
  top?: number
}

export interface NativeEstimateRequest {
  path?: string
  bytes?: Uint8Array
  name: string
  memory: number
  threads: number
  seed: number
}

export interface NativeCursor {
  /** Whole lines, about so many bytes at most, perhaps none; null at the end. */
  nextText(maxBytes: number): Promise<Uint8Array | null>
}

export interface NativeArchive {
  /** The manifest as JSON. */
  manifest(): Promise<string>
  orthos(shape: number[] | null, word: string | null): Promise<NativeCursor>
  interner(): Promise<NativeInterner>
}

export interface NativeSurveyRequest {
  read: number
  show: number
  words: number
  shapes: number
  texts: string[]
}

export interface NativeInterner {
  readonly size: number
  word(token: number): string | null
  token(word: string): number | null
  completions(tokens: number[]): number[]
  /** As JSON, see `Contexts`. */
  contexts(tokens: number[], most: number, around: number): Promise<string>
  digest(): Promise<string>
  union(other: NativeInterner): Promise<NativeInterner>
}

export interface NativeQueueCursor {
  next(maxRecords: number, maxBytes: number): Promise<PackedRecords>
}

export interface NativeQueue {
  readonly length: number
  damage(): Promise<{ file: string; what: string; lostRecords?: number | null }[]>
  push(records: PackedRecords): Promise<void>
  pop(maxRecords: number, maxBytes: number): Promise<PackedRecords>
  iter(): Promise<NativeQueueCursor>
  flush(): Promise<void>
  close(): Promise<void>
}

export interface NativeSeenTracker {
  readonly size: number
  insert(fingerprints: Uint8Array): Promise<Uint8Array>
  contains(fingerprints: Uint8Array): Promise<Uint8Array>
  flush(): Promise<void>
  close(): Promise<void>
}

export interface NativeZstdDecoder {
  /** From `input` to `output`, each from an offset on, until either is at its end; neither may change meanwhile. */
  step(input: Uint8Array, from: number, output: Buffer, at: number): Promise<{ taken: number; given: number }>
  /** Rejects if the input must not end here. */
  finish(): Promise<void>
}

export interface NativeZstdFrameDecoder {
  /** A whole frame to the beginning of the output, of which it gives how much it made; neither may change meanwhile. */
  decode(frame: Uint8Array, output: Buffer): Promise<number>
}

/** SHA-256 off the event loop. */
export interface NativeSum {
  /** One call at a time; the bytes may not change meanwhile. */
  add(bytes: Uint8Array): Promise<void>
  /** In hex. */
  hex(): Promise<string>
}

/** What the addon exports. */
export interface Addon {
  Control: new () => NativeControl
  Sum: new () => NativeSum
  ZstdDecoder: new () => NativeZstdDecoder
  ZstdFrameDecoder: new () => NativeZstdFrameDecoder
  search(request: NativeSearchRequest, control: NativeControl): Promise<string>
  merge(request: NativeMergeRequest, control: NativeControl): Promise<string>
  /** JSON, see `estimate.ts`. */
  estimate(request: NativeEstimateRequest, control: NativeControl): Promise<string>
  openArchive(path: string): Promise<NativeArchive>
  /** A report as JSON, see `VerifyReport`. */
  verifyArchive(path: string, scratch: string, memory: number, control: NativeControl): Promise<string>
  /** A survey as JSON, see `Survey`. */
  surveyArchive(archive: NativeArchive, request: NativeSurveyRequest, control: NativeControl): Promise<string>
  /** As JSON, see `Places`. */
  locatePhrases(path: string, phrases: string[][], most: number): Promise<string>
  internText(name: string, bytes: Uint8Array): Promise<NativeInterner>
  openQueue(directory: string, memory: number): Promise<NativeQueue>
  openSeenTracker(directory: string, memory: number): Promise<NativeSeenTracker>
}

let loading: Promise<Addon> | undefined

/** The addon of this platform. */
export function loadAddon(): Promise<Addon> {
  return (loading ??= (async () => {
    // What the build says of itself must be what this side expects.
    const addon: Addon = loadBuild(host, version(), createRequire(import.meta.url)) as typeof Native
    return addon
  })())
}

/** Runs a call into the addon, turning what it throws into a {@link FoldError}. */
export async function native<T>(call: (addon: Addon) => Promise<T> | T): Promise<T> {
  try {
    return await call(await loadAddon())
  } catch (error) {
    throw toFoldError(error)
  }
}
