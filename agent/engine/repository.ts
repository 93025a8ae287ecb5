// An open repository, put together: storage, contents with their worker threads, manifests. This
// and operations.ts are the library's front door; index.ts names what may be used.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import type { Cache } from '#engine/cache/cache.ts';
import { repositoryIdentity } from '#engine/cache/blob-key.ts';
import { CacheRepository } from '#engine/cache/cache-repository.ts';
import type { CacheShare } from '#engine/cache/cache-settings.ts';
import { cached } from '#engine/cache/cached.ts';
import type { EngineError } from '#engine/base/errors.ts';
import { createFormat } from '#engine/content/create-format.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import { OpenContents } from '#engine/content/open-contents.ts';
import type { RepositoryFormat } from '#engine/content/repository-format.ts';
import { MANIFEST_PREFIX } from '#engine/format/content-id.ts';
import {
  DEFAULT_MAINTENANCE_PARAMETERS,
  encodeMaintenanceParameters,
  MAINTENANCE_LABELS,
} from '#engine/format/maintenance-parameters.ts';
import type { RepositoryConfig } from '#engine/format/repository-config.ts';
import { encodeVeleroMarker, VELERO_MARKER_BLOB_ID } from '#engine/format/velero-marker.ts';
import { ManifestStore } from '#engine/manifest/manifest-store.ts';
import { THREAD_ENTRY } from '#engine/snapshot/thread-entry.ts';
import type { LookAheadErrand } from '#engine/snapshot/upload/look-ahead.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { openStorage, type OpenStorageOptions } from '#engine/storage/open-storage.ts';
import type { Storage } from '#engine/storage/storage.ts';
import type { WaitingThread } from '#engine/workers/thread.ts';
import { DataThreshold, type SizedIndex } from './data-threshold.ts';
import { type RepositoryInfo, repositoryInfo } from './repository-info.ts';

export interface RepositoryOwner {
  readonly user: string;
  readonly host: string;
}

/**
 * Where a repository is: a URL that this opens and closes, or a storage, which stays the caller's
 * unless it is given away: then it is closed with the repository, and not when opening fails.
 */
export type RepositoryPlace =
  | { readonly url: string; readonly storageOptions?: OpenStorageOptions }
  | { readonly storage: Storage; readonly isStorageOwned?: boolean };

export type OpenRepositoryRequest = RepositoryPlace & {
  readonly password: string;
  /** Worker threads; one for each core by default. */
  readonly threads?: number;
  /** What the process may take, besides the index; by default what its control group allows. */
  readonly memoryBytes?: number;
  /** False keeps all threads busy however short of memory or disks the machine is. */
  readonly isPressureHeeded?: boolean;
  readonly isReadOnly?: boolean;
  /** Starts a thread while the key is derived, for work that will need one anyway. */
  readonly startsThread?: boolean;
  /** One that has been started for this; it is taken over, unless opening fails early. */
  readonly waiting?: WaitingThread;
  /**
   * A directory that the thread looks at meanwhile, bytes of a path as BackupRequest will have it.
   * A backup that says since when (`seenSinceMs`) compares what has been found by then.
   */
  readonly lookAhead?: Uint8Array;
  /** Looked into first; stays the caller's. A storage with local files is read without it. */
  readonly cache?: Cache;
  /** What it may have of the cache: a floor, a ceiling, a size below which it keeps no data. */
  readonly cacheShare?: CacheShare;
  /** Stands in session markers while writing. */
  readonly owner?: RepositoryOwner;
  readonly clock?: Clock;
  /**
   * Told of what went wrong without harm: a blob that could not be removed, a cancelled backup
   * whose state could not be saved.
   */
  readonly onWarning?: (warning: EngineError) => void;
  readonly isNativeAllowed?: boolean;
  readonly signal?: AbortSignal;
};

export type CreateRepositoryRequest = RepositoryPlace & {
  readonly password: string;
  readonly hash?: string;
  readonly encryption?: string;
  readonly splitter?: string;
  readonly keyDerivation?: string;
  /** Runs maintenance: `user@host` of a kopia client, `default@default` for Velero. */
  readonly owner: RepositoryOwner;
  /** Makes it a repository that Velero 1.18 takes for its own. */
  readonly forVelero?: boolean;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
};

export class Repository implements AsyncDisposable {
  readonly parts: OpenContents<EngineTasks>;
  readonly manifests: ManifestStore;
  /** Its part of the cache, where there is one. */
  readonly cache: CacheRepository | undefined;
  /** For `seenSinceMs` of a backup, where it was opened with `lookAhead`. */
  readonly lookAheadSinceMs: number | undefined;
  readonly #ownStorage: Storage | undefined;

  constructor(
    parts: OpenContents<EngineTasks>,
    ownStorage: Storage | undefined,
    { cache, lookAheadSinceMs }: Partial<Pick<Repository, 'cache' | 'lookAheadSinceMs'>> = {},
  ) {
    this.parts = parts;
    this.cache = cache;
    this.lookAheadSinceMs = lookAheadSinceMs;
    this.#ownStorage = ownStorage;
    this.manifests = new ManifestStore({
      contents: parts.reader,
      revision: () => parts.index.revision,
      writeManifestContent: async bytes => {
        const { contentId } = await parts.pool.run('writeContent', {
          prefix: MANIFEST_PREFIX,
          bytes,
        });
        return contentId;
      },
      clock: parts.clock,
    });
  }

  get storage(): Storage {
    return this.parts.storage;
  }

  get contents(): ContentSource {
    return this.parts.reader;
  }

  /** Algorithms and limits. Holds keys: never print it as it is. */
  get config(): RepositoryConfig {
    return this.parts.format.config;
  }

  /**
   * What has broken it for good: a write that failed, or a thread that died. What it is asked to
   * write is refused from then on; opened anew it is whole.
   */
  get failure(): EngineError | undefined {
    return this.parts.failure;
  }

  /** For whoever has several open: how many of its threads may be busy with backups. */
  limitThreads(count: number): void {
    this.parts.limitThreads(count);
  }

  info(): Promise<RepositoryInfo> {
    return repositoryInfo(this.parts, this.manifests);
  }

  /**
   * Whether its format has been changed since in a way that takes opening it anew. What is under
   * way goes on.
   */
  get isOutdated(): boolean {
    return this.parts.formatWatch.isOutdated;
  }

  /**
   * Sees what others have committed meanwhile, and every 15 minutes whether it may be used still.
   * @throws REPOSITORY_UPGRADE_IN_PROGRESS, …
   */
  async refresh(signal?: AbortSignal): Promise<void> {
    await this.parts.formatWatch.look(signal);
    await this.parts.index.refresh(signal);
  }

  /**
   * Makes what was written durable and visible.
   * @throws REPOSITORY_WRITE_UNSUPPORTED
   */
  async flush(signal?: AbortSignal): Promise<void> {
    const { writing } = this.parts;
    throwIfAborted(signal);
    await writing.attempt(signal, async () => {
      await this.manifests.flush();
      await writing.flush();
    });
  }

  /** Ends threads and connections. What was not flushed is given up. */
  async close(): Promise<void> {
    await this.parts.close();
    await this.#ownStorage?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a repository and loads its index.
 * @throws REPOSITORY_NOT_FOUND, REPOSITORY_PASSWORD_WRONG, REPOSITORY_FORMAT_TOO_NEW,
 *   ALGORITHM_UNKNOWN, INDEX_DAMAGED, …
 */
export async function openRepository(request: OpenRepositoryRequest): Promise<Repository> {
  const { storage, own } = await storageOf(request, false);
  try {
    let cache: CacheRepository | undefined;
    let place = storage;
    const loaded: { index?: SizedIndex } = {};
    const threshold = new DataThreshold(request.cacheShare?.dataBytesMin ?? 0);
    // Until the index is loaded nobody reads data.
    const keepsData = (): boolean =>
      loaded.index !== undefined && threshold.isReached(loaded.index);
    const storageFor = (format: RepositoryFormat): Storage => {
      cache = cacheFor(storage, format, request, keepsData);
      if (cache) place = cached(storage, cache);
      return place;
    };
    const threadErrand = lookAheadErrand(request);
    const lookAheadSinceMs = threadErrand && Date.now();
    const options = { ...request, threadEntry: THREAD_ENTRY, threadErrand, storageFor };
    const parts = await OpenContents.open<EngineTasks>(storage, options);
    loaded.index = parts.index;
    // Closed through the cache, which then has what was on its way to it.
    const isOwned = 'storage' in request ? request.isStorageOwned : true;
    return new Repository(parts, isOwned ? place : undefined, { cache, lookAheadSinceMs });
  } catch (error) {
    await own?.close();
    throw error;
  }
}

/**
 * Makes a repository in an empty place, with the maintenance owner that kopia and Velero expect.
 * @throws REPOSITORY_EXISTS, ALGORITHM_UNKNOWN, USAGE, CLOCK_SKEW
 */
export async function createRepository(request: CreateRepositoryRequest): Promise<void> {
  const { storage, own } = await storageOf(request, true);
  const { password, clock, signal, owner } = request;
  try {
    const uniqueId = await createFormat(storage, request);
    const place = { storage, password, clock, signal };
    await using repository = await openRepository({ ...place, owner, threads: 1 });
    const parameters = { ...DEFAULT_MAINTENANCE_PARAMETERS, owner: `${owner.user}@${owner.host}` };
    repository.manifests.put(MAINTENANCE_LABELS, encodeMaintenanceParameters(parameters));
    await repository.flush(signal);
    // Velero takes the repository for finished when this blob is there, so it comes last.
    if (request.forVelero) {
      await storage.put(VELERO_MARKER_BLOB_ID, [encodeVeleroMarker(uniqueId)], { signal });
    }
  } finally {
    await own?.close();
  }
}

function lookAheadErrand({ lookAhead, isNativeAllowed = true }: OpenRepositoryRequest) {
  return lookAhead && ({ root: lookAhead, isNativeAllowed } satisfies LookAheadErrand);
}

function cacheFor(
  storage: Storage,
  { config, blob }: RepositoryFormat,
  { cache, cacheShare: share }: Pick<OpenRepositoryRequest, 'cache' | 'cacheShare'>,
  keepsData: () => boolean,
): CacheRepository | undefined {
  if (cache === undefined || storage.localPath) return undefined;
  const identity = repositoryIdentity(config.masterKey, blob.uniqueId);
  return new CacheRepository(cache, { identity, name: storage.displayName, share, keepsData });
}

async function storageOf(
  place: RepositoryPlace & { readonly signal?: AbortSignal },
  create: boolean,
): Promise<{ storage: Storage; own: Storage | undefined }> {
  if ('storage' in place) return { storage: place.storage, own: undefined };
  const options = { ...place.storageOptions, create, signal: place.signal };
  const storage = await openStorage(place.url, options);
  return { storage, own: storage };
}
