/**
 * The library: every ortho of a text, and the parts that the search is made of.
 *
 * @packageDocumentation
 */
export {
  Archive,
  openArchive,
  type OrthoFilter,
  type ShapeSurvey,
  type Survey,
  type SurveyOptions,
  type VerifyOptions,
  type VerifyReport,
} from './archive.js'
export { compressArchive, type CompressedArchive, type CompressOptions } from './archiving/compress.js'
export { decompressArchive, type DecompressOptions } from './archiving/decompress.js'
export type { ArchiveFacts } from './archiving/facts.js'
export { DiskBackedQueue, type QueueDamage, type QueueOptions } from './disk-backed-queue.js'
export { EXPORT_FORMATS, exportOrthos, type ExportFormat, type ExportOptions } from './export/export.js'
export { Interner, locatePhrases, type Contexts, type Places } from './interner.js'
export type { Files } from './effects.js'
export { EXIT_CODES, FoldError, type ErrorCode, type Shortfall } from './errors.js'
export type { Limits } from './limits.js'
export {
  groupByInput,
  type Groupable,
  type Grouping,
  type InputConflict,
  type InputGroup,
} from './merge/grouping.js'
export type { ArchiveSummary, Limit, Manifest, Optimal } from './manifest.js'
export { mergeArchives, type MergeOptions } from './merge-archives.js'
export { reportArchive, type ReportOptions } from './report-archive.js'
export { search, type SearchInput, type SearchOptions } from './search.js'
export type { Downloaded } from './storage/download.js'
export {
  S3IO,
  type StorageWorld,
  type Stored,
  type StoredArchive,
  type StoredInput,
  type TransferOptions,
  type UploadOptions,
} from './storage/s3-io.js'
export type { Shard } from './storage/names.js'
export type {
  DirectorySettings,
  Environment,
  PresignedSettings,
  S3Settings,
  StorageSettings,
} from './storage/settings.js'
export { SeenTracker, type SeenTrackerOptions } from './seen-tracker.js'
export type { Ortho, Progress, TaskOptions } from './task.js'
