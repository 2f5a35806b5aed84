/**
 * What a place for objects can do, whatever it is: a bucket behind an S3 interface, a directory, or two presigned URLs.
 *
 * Implementations deal with their own protocol only. Resuming, checking and naming are the same for all and are done
 * above: `download.ts`, `s3-io.ts`.
 */

/** An object as a listing shows it. */
export interface ObjectInfo {
  key: string
  bytes: number
  /** Milliseconds since 1970. */
  modified: number
}

/** An object with what was stored beside it. */
export interface ObjectHead extends ObjectInfo {
  metadata: Readonly<Record<string, string>>
}

/** Which part of an object to read. */
export interface ReadOptions {
  /** From this byte on; 0 for all. */
  from?: number | undefined
  /** Only the last so many bytes. */
  last?: number | undefined
  /** Only if the object is still the one with this tag; otherwise {@link ObjectChanged}. */
  tag?: string | undefined
  signal: AbortSignal
}

/** An object being read: one attempt, which may break off. */
export interface Reading {
  body: AsyncIterable<Uint8Array>
  /** Bytes of the whole object. */
  total: number
  /** Changes when the object does; undefined where the store has none. */
  tag: string | undefined
  /** MD5 of the whole object in hex, where the store tells. */
  md5: string | undefined
  metadata: Readonly<Record<string, string>>
  /** Breaks off. */
  close(): void
}

/** A file to store. */
export interface Upload {
  path: string
  bytes: number
  /** SHA-256 of the file in hex. */
  sha256: string
  /** ASCII names and values. */
  metadata: Readonly<Record<string, string>>
  /** Media type; that of archives, if not said. */
  type?: string | undefined
  /** Whether what has the key may be an earlier result of the same job, which this one then replaces. */
  mayHaveStored?: boolean | undefined
}

/** A place for objects. Failures that may pass are retried inside, except while reading. */
export interface Bucket {
  /** For people: `s3://name` or a path. Holds no secret. */
  readonly url: string
  /** All objects whose key begins with the prefix, in order of their keys. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo>
  /** Undefined if there is no such object. */
  head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined>
  /** Begins to read; one attempt. */
  read(key: string, options: ReadOptions): Promise<Reading>
  /** Stores a file under a key that nothing has, also when another does so at the same moment. */
  create(key: string, upload: Upload, signal: AbortSignal): Promise<'created' | 'exists'>
}

/** The object is not any more the one of which a part was read. */
export class ObjectChanged extends Error {
  override readonly name = 'ObjectChanged'
}
