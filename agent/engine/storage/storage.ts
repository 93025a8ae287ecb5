// What the engine asks of a place that keeps blobs, and what it may rely on.
//
// A storage is a flat set of named byte strings. Everything above it is safe without locks because
// of three properties, which every implementation has and test/engine/storage/compliance.ts checks:
//   1. put is atomic: a reader sees the whole blob or none; a put that fails or is killed leaves
//      either nothing or the blob that was there before.
//   2. put is durable when it resolves, and from then on get, head and list see the blob.
//   3. bytes are never changed in place; put replaces, delete removes.
// Ids are checked at every door (blob-id.ts, STORAGE_BLOB_ID_INVALID): they come from listings and
// indexes that somebody else wrote. A name in the storage that is no blob id is never listed.
// Behaviour (retrying, limits, metrics, read-only, retention) is added by wrapping; see the other
// files of this folder. The contract follows kopia repo/blob/storage.go.

export interface BlobMetadata {
  readonly id: string;
  readonly bytes: number;
  /** Milliseconds since 1970 by the storage's clock. */
  readonly modifiedMs: number;
}

export interface BlobRange {
  readonly offset: number;
  /** At least 1. */
  readonly length: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /** The whole blob when absent. */
  readonly range?: BlobRange;
}

export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

export interface PutOptions extends CallOptions {
  /** Fail with STORAGE_BLOB_EXISTS instead of replacing; atomic where `canPutIfAbsent`. */
  readonly ifAbsent?: boolean;
  /** Object lock, where the storage has it; elsewhere ignored. */
  readonly retention?: Retention;
}

/** A blob that is being written by somebody else, into a file of the storage's own file system. */
export interface StagedBlob {
  /** A new, empty file. Write to it from any thread; close it before commit. */
  readonly path: string;
  /** Makes the file's bytes the blob, atomically and durably. Ends the staging. */
  commit(options?: CallOptions): Promise<void>;
  /** Removes the file. Harmless after commit and when called twice. */
  discard(): Promise<void>;
}

/** What a cache in front of a storage has for those who read through it. */
export interface CacheInFront {
  /** The storage behind it, for who has to see what is really there. */
  readonly behind: Storage;
  /**
   * Gives up what is kept of a blob that turned out damaged, so that the next get fetches it.
   * @returns false where nothing of the kind is kept, and another get would give the same
   */
  readonly forget: (id: string) => Promise<boolean>;
}

export interface Storage {
  /** For messages: `s3://bucket/prefix`, `file:///dir`. Holds no secret. */
  readonly displayName: string;
  /** Whether `ifAbsent` is decided by the storage itself and not by a look beforehand. */
  readonly canPutIfAbsent: boolean;
  /** Only where there is one, of which the bytes of a get may come. */
  readonly cache?: CacheInFront;

  /**
   * The bytes of a blob or of a range of it, exactly `range.length` of them. The caller owns them.
   * @throws STORAGE_BLOB_NOT_FOUND
   * @throws STORAGE_RANGE_INVALID the range does not lie within the blob
   * @throws STORAGE_BLOB_TRUNCATED fewer bytes came than were promised
   */
  get(id: string, options?: GetOptions): Promise<Uint8Array>;

  /**
   * Stores the concatenation of `pieces`. They are not copied and must not change until the call
   * has settled; afterwards they are the caller's again. Durable on return.
   * @throws STORAGE_BLOB_EXISTS with `ifAbsent`
   * @throws STORAGE_FULL, STORAGE_READ_ONLY
   */
  put(id: string, pieces: readonly Uint8Array[], options?: PutOptions): Promise<void>;

  /** @throws STORAGE_BLOB_NOT_FOUND */
  head(id: string, options?: CallOptions): Promise<BlobMetadata>;

  /** Blobs whose id begins with `prefix`, in no particular order. */
  list(prefix: string, options?: CallOptions): AsyncIterable<BlobMetadata>;

  /** Removes a blob; one that is not there is a success. */
  delete(id: string, options?: CallOptions): Promise<void>;

  /**
   * A file that can become the blob `id` without its bytes passing through this thread. Only
   * storages in a local file system have it; a wrapper that must see the bytes leaves it out.
   */
  stage?(id: string, options?: PutOptions): Promise<StagedBlob>;

  /**
   * Path of a file that holds exactly the blob's bytes, for reading by position from any thread.
   * The file may be missing. Wherever `stage` is this is too; a read-only storage has it alone.
   */
  localPath?(id: string): string;

  /** Gives back sockets, timers and what was staged and not committed. Harmless twice. */
  close(): Promise<void>;
}
