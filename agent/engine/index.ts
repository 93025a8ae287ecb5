// The library. Everything else in this folder may change without notice.

export { EngineError, isEngineError, type SerializedError } from '#engine/base/errors.ts';
export { ERROR_CODES, type ErrorCode } from '#engine/base/error-codes.ts';
export { Cache } from '#engine/cache/cache.ts';
export type { CacheOptions } from '#engine/cache/cache-options.ts';
export type { CacheEvent, CacheSettings, CacheShare } from '#engine/cache/cache-settings.ts';
export { cacheStatus, type CacheStatus } from '#engine/cache/cache-status.ts';
export type { CacheDescription } from '#engine/cache/describe-cache.ts';
export type { ClearedCache } from '#engine/cache/stored-cache.ts';
export { CIPHERS } from '#engine/cipher/ciphers.ts';
export { SPLITTERS } from '#engine/chunk/splitters.ts';
export { HASHES } from '#engine/hash/hashes.ts';
export type {
  CheckOptions,
  CheckOutcome,
  CheckProblem,
  CheckProgress,
  CheckRequest,
} from '#engine/content/check.ts';
export type { ContentEntry, ContentRead, ContentSource } from '#engine/content/content-source.ts';
export type { SnapshotManifest } from '#engine/format/snapshot-manifest.ts';
export type { Manifest, ManifestStore } from '#engine/manifest/manifest-store.ts';
export type {
  BackupOptions,
  BackupOutcome,
  BackupRequest,
  BackupStage,
  StoredTree,
} from '#engine/snapshot/backup.ts';
export type { SurveyOutcome } from '#engine/snapshot/survey.ts';
export type { BackupTotals } from '#engine/snapshot/backup-progress.ts';
export { type Chunker, CHUNKERS } from '#engine/snapshot/chunker.ts';
export type { ChangedBlocks } from '#engine/snapshot/changed-blocks.ts';
export { diffSnapshots, type TreeDifference } from '#engine/snapshot/diff.ts';
export { type Decision, type Explanation, type ExplainRequest } from '#engine/snapshot/explain.ts';
export type {
  RestoreOptions,
  RestoreOutcome,
  RestorePlan,
  RestoreRequest,
} from '#engine/snapshot/restore/restore.ts';
export type { DeviceRestoreRequest } from '#engine/snapshot/restore/restore-device.ts';
export { isMissingEntry } from '#engine/snapshot/restore/restore-report.ts';
export type { ExcludeRequest } from '#engine/snapshot/source/git-rules.ts';
export type { DecidingRule, RuleOrigin } from '#engine/snapshot/source/rule-origin.ts';
export type { SelectionRequest } from '#engine/snapshot/source/selection.ts';
export type { SnapshotFilter, SnapshotSummary } from '#engine/snapshot/snapshots.ts';
export { listTree, readFile, type SnapshotStore } from '#engine/snapshot/stored-path.ts';
export type { TreeEntry } from '#engine/snapshot/tree.ts';
export type {
  VerifyOptions,
  VerifyOutcome,
  VerifyProblem,
  VerifyRequest,
} from '#engine/snapshot/verify.ts';
export type { SkippedEntry } from '#engine/snapshot/upload/upload-tasks.ts';
export {
  openStorage,
  openStorageAt,
  type OpenStorageOptions,
  type StoragePlace,
} from '#engine/storage/open-storage.ts';
export type { S3Checksum } from '#engine/storage/s3-checksum.ts';
export type {
  S3Credentials,
  S3CredentialsSource,
  S3Encryption,
  S3Options,
} from '#engine/storage/s3-options.ts';
export type { StorageMetrics } from '#engine/storage/metered.ts';
export { type PendingOperation, PendingOperations } from '#engine/storage/pending-operations.ts';
export type { Traffic } from '#engine/storage/traffic.ts';
export { STORAGE_URL_PARAMETERS } from '#engine/storage/storage-url.ts';
export type { BlobMetadata, Storage } from '#engine/storage/storage.ts';
export { cacheInfo, cacheNodes, clearCache } from './cache-verbs.ts';
export {
  backup,
  checkRepository,
  explain,
  forgetSnapshots,
  listSnapshots,
  planRestore,
  resolveSnapshot,
  restore,
  restoreDevice,
  surveyBackup,
  verify,
} from './operations.ts';
export {
  type CreateRepositoryRequest,
  createRepository,
  type OpenRepositoryRequest,
  openRepository,
  Repository,
} from './repository.ts';
export type { RepositoryInfo } from './repository-info.ts';
