/** The types of `tar` name two classes that Node 20, for which this is compiled, does not have. */
import type { Transform } from 'node:stream'

declare module 'zlib' {
  // oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type
  interface ZstdCompress extends Transform {}
  // oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type
  interface ZstdDecompress extends Transform {}
}
