// The one list of error codes. A new code is a row here and a paragraph in docs/errors.md.

export interface ErrorCodeTraits {
  /** Whether trying the same thing again, later, is sensible. */
  readonly retryable: boolean;
}

const final = Object.freeze({ retryable: false });
const retryable = Object.freeze({ retryable: true });

export const ERROR_CODES = Object.freeze({
  // The caller, the process
  ABORTED: final,
  USAGE: final,
  OUTPUT_NOT_WRITABLE: final,
  LIMIT_EXCEEDED: final,
  INTERNAL: final,
  WORKER_DIED: final,
  CLOCK_SKEW: final,

  // Storage
  STORAGE_URL_INVALID: final,
  STORAGE_NOT_FOUND: final,
  STORAGE_CREDENTIALS_MISSING: final,
  STORAGE_BLOB_ID_INVALID: final,
  STORAGE_BLOB_NOT_FOUND: final,
  STORAGE_BLOB_EXISTS: final,
  STORAGE_BLOB_TRUNCATED: retryable,
  STORAGE_RANGE_INVALID: final,
  STORAGE_ACCESS_DENIED: final,
  STORAGE_READ_ONLY: final,
  STORAGE_FULL: final,
  STORAGE_THROTTLED: retryable,
  STORAGE_UNAVAILABLE: retryable,
  STORAGE_TIMEOUT: retryable,
  STORAGE_FAILED: final,

  // Repository
  REPOSITORY_NOT_FOUND: final,
  REPOSITORY_EXISTS: final,
  REPOSITORY_PASSWORD_WRONG: final,
  REPOSITORY_KEYS_DIFFER: retryable,
  REPOSITORY_FORMAT_INVALID: final,
  REPOSITORY_FORMAT_TOO_NEW: final,
  REPOSITORY_FEATURE_UNSUPPORTED: final,
  REPOSITORY_UPGRADE_IN_PROGRESS: final,
  REPOSITORY_WRITE_UNSUPPORTED: final,
  ALGORITHM_UNKNOWN: final,

  // What a repository holds
  INDEX_DAMAGED: final,
  INDEX_BLOB_MISSING: retryable,
  INDEX_COMMIT_TOO_SLOW: retryable,
  PACK_MISSING: final,
  PACK_DAMAGED: final,
  CONTENT_ID_INVALID: final,
  CONTENT_NOT_FOUND: final,
  CONTENT_DAMAGED: final,
  OBJECT_ID_INVALID: final,
  OBJECT_DAMAGED: final,
  DIRECTORY_DAMAGED: final,
  MANIFEST_DAMAGED: final,
  SNAPSHOT_NOT_FOUND: final,
  SNAPSHOT_AMBIGUOUS: final,
  SNAPSHOT_DAMAGED: final,
  SNAPSHOT_PATH_NOT_FOUND: final,
  POLICY_INVALID: final,

  // The cache
  CACHE_LOCATION_REFUSED: final,
  CACHE_IN_USE: retryable,
  CACHE_NOT_FOUND: final,

  // The file system that is backed up or restored to
  SOURCE_NOT_FOUND: final,
  SOURCE_UNREADABLE: final,
  SOURCE_CHANGED: final,
  SOURCE_VANISHED: final,
  SOURCE_ATTRIBUTE_UNREADABLE: final,
  SOURCE_TYPE_UNSUPPORTED: final,
  SOURCE_TOO_LARGE: final,
  SOURCE_INCOMPLETE: final,
  TARGET_NOT_EMPTY: final,
  TARGET_NAME_UNSAFE: final,
  TARGET_ENTRY_FAILED: final,
  TARGET_ENTRY_REFUSED: final,
  TARGET_NOT_WRITABLE: final,
  TARGET_FULL: final,
  TARGET_TOO_SMALL: final,

  // Volumes of pods
  POD_NOT_FOUND: final,
  VOLUME_NOT_FOUND: final,
  VOLUME_NOT_MOUNTED: final,
  VOLUME_IS_BLOCK: final,
  VOLUME_TYPE_UNSUPPORTED: final,
  VOLUME_UNRESPONSIVE: retryable,
  CLAIM_NOT_BOUND: final,

  // Storage locations, Secrets and repositories as Velero's objects name them
  STORAGE_LOCATION_NOT_FOUND: final,
  STORAGE_LOCATION_UNAVAILABLE: retryable,
  STORAGE_LOCATION_READ_ONLY: final,
  STORAGE_LOCATION_INVALID: final,
  SECRET_NOT_FOUND: final,
  SECRET_KEY_MISSING: final,
  REPOSITORY_NOT_READY: retryable,
  REPOSITORY_UNKNOWN: final,

  // The Kubernetes API
  KUBE_CONFIG_INVALID: final,
  KUBE_UNAVAILABLE: retryable,
  KUBE_TIMEOUT: retryable,
  KUBE_THROTTLED: retryable,
  KUBE_UNAUTHORIZED: final,
  KUBE_FORBIDDEN: final,
  KUBE_KIND_UNKNOWN: final,
  KUBE_NOT_FOUND: final,
  KUBE_EXISTS: final,
  KUBE_CONFLICT: retryable,
  KUBE_INVALID: final,
  KUBE_EXPIRED: final,
  KUBE_FAILED: final,
  BACKUP_VOLUME_NOT_FOUND: final,

  // Agents and the controller
  COORDINATOR_UNAVAILABLE: retryable,
  COORDINATOR_TIMEOUT: retryable,
  COORDINATOR_BUSY: retryable,
  COORDINATOR_STANDBY: retryable,
  COORDINATOR_TLS_INVALID: final,
  COORDINATOR_UNAUTHENTICATED: final,
  COORDINATOR_FORBIDDEN: final,
  COORDINATOR_TAKEN_OVER: final,
  COORDINATOR_VERSION_UNSUPPORTED: final,
  COORDINATOR_MESSAGE_INVALID: final,
  COORDINATOR_MESSAGE_TOO_LARGE: final,
  COORDINATOR_FLOODED: retryable,
  COORDINATOR_FAILED: final,
}) satisfies Readonly<Record<string, ErrorCodeTraits>>;

export type ErrorCode = keyof typeof ERROR_CODES;
