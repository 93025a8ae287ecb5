// The repositories of this process. A move asks for one by namespace and storage location and gets
// it open, as the objects of Velero and their Secrets say at that moment; moves of the same one
// share it. A Secret or a location that has changed is a repository of its own: moves that are
// under way end with what they began with.

import { createHash } from 'node:crypto';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import {
  type Cache,
  type CacheShare,
  openRepository,
  openStorageAt,
  type OpenStorageOptions,
  type PendingOperation,
  PendingOperations,
  type Repository,
  type StorageMetrics,
  type Traffic,
} from '#engine/index.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { RepositoryName } from '#agent/moves/volume-mover.ts';
import { type Access, findLocation } from './find-location.ts';
import { type Lease, LeaseTable } from './lease-table.ts';
import { type LocationPlan, planLocation } from './location-plan.ts';
import { placeOf, withCertificates } from './location-place.ts';
import type { BackupRepository } from './repository-objects.ts';
import { RepositoryPlaces } from './repository-places.ts';
import { waitUntilReady } from './ready-repository.ts';
import { type RepositoryShares, threadsOfEach } from './repository-shares.ts';
import { readSecret } from './secrets.ts';

export interface RepositoryParts {
  readonly kube: Pick<KubeClient, 'get' | 'list'>;
  readonly clock: Clock;
  /** One for all; looked into first. */
  readonly cache?: Cache;
  /** Of all together. */
  readonly traffic?: Traffic;
  readonly metrics?: StorageMetrics;
  /** Told of each operation of a storage that is sent again. */
  readonly onRetry?: OpenStorageOptions['onRetry'];
  /** Told of each key and password before it is used, so that nothing repeats it. */
  readonly onSecret?: (text: string) => void;
  /** What went wrong without harm, and settings that have no effect. */
  readonly onWarning: (warning: EngineError) => void;
  /** Told when the last one was closed since nobody used it. */
  readonly onRest?: () => void;
  /** Told when the number of repositories that do not close has changed, and how many may be. */
  readonly onLeftBehind?: (count: number, countMax: number) => void;
}

export interface RepositorySettings {
  /** Velero's namespace. */
  readonly namespace: string;
  /** How long a BackupRepository may take to become ready. */
  readonly readyTimeoutMs: number;
  readonly shares: RepositoryShares;
  /** For locations that name no credential. */
  readonly credentialsFile?: string;
  readonly isNativeAllowed?: boolean;
  /** Of each repository. */
  readonly cacheShare?: CacheShare;
}

export type RepositoryLease = Lease<Repository>;

/** Between two moves of a schedule it is not worth keeping; between those of one backup it is. */
export const REPOSITORY_IDLE_MS = 60_000;

/** Velero's one for all repositories (velero pkg/repository/keys/keys.go). */
const PASSWORD = Object.freeze({ name: 'velero-repo-credentials', key: 'repository-password' });
/** In session markers; the identity of Velero's own clients. */
const OWNER = Object.freeze({ user: 'default', host: 'default' });

export class SharedRepositories implements AsyncDisposable {
  readonly #parts: RepositoryParts;
  readonly #settings: RepositorySettings;
  readonly #leases: LeaseTable<Repository>;
  readonly #places = new RepositoryPlaces();
  readonly #pending: PendingOperations;
  #isEnded = false;
  /** There are as many as settings without effect. */
  readonly #noticed = new Set<string>();

  constructor(parts: RepositoryParts, settings: RepositorySettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#pending = new PendingOperations(parts.clock);
    const { shares } = settings;
    const { repositoriesMax } = shares;
    this.#leases = new LeaseTable<Repository>({
      clock: parts.clock,
      onRest: parts.onRest,
      onUse: inUse => {
        const threads = threadsOfEach(shares, inUse.length);
        for (const repository of inUse) repository.limitThreads(threads);
      },
      onLeftBehind: count => parts.onLeftBehind?.(count, repositoriesMax),
      onCloseFailure: error => {
        const isCut = this.#isEnded && isEngineError(error, 'ABORTED');
        if (!isCut) parts.onWarning(notClosed(error));
      },
      countMax: repositoriesMax,
      idleMs: REPOSITORY_IDLE_MS,
      refresh: (repository, signal) => repository.refresh(signal),
      isUsable: ({ failure, isOutdated }) => failure === undefined && !isOutdated,
    });
  }

  /** Open now. */
  get count(): number {
    return this.#leases.count;
  }

  /** How long no storage has answered while one was asked for something. */
  get unansweredMs(): number {
    return this.#pending.unansweredMs;
  }

  /** What storages are asked for now. */
  get pending(): PendingOperation[] {
    return this.#pending.list;
  }

  /** Threads of theirs are held by something and cannot be ended. */
  get leftBehindCount(): number {
    return this.#leases.leftBehindCount;
  }

  /**
   * Ready, open, and as others have left it. Waits for the server to prepare it, for as long as the
   * settings say or `timeoutMs`, and for a place where as many are open as may be.
   * @throws STORAGE_LOCATION_NOT_FOUND, STORAGE_LOCATION_READ_ONLY, STORAGE_LOCATION_UNAVAILABLE,
   *   STORAGE_LOCATION_INVALID, SECRET_NOT_FOUND, SECRET_KEY_MISSING, REPOSITORY_UNKNOWN,
   *   REPOSITORY_NOT_READY, REPOSITORY_PASSWORD_WRONG, STORAGE_NOT_FOUND, ABORTED, …
   */
  async acquire(
    name: RepositoryName,
    access: Access,
    signal?: AbortSignal,
    timeoutMs: number = this.#settings.readyTimeoutMs,
  ): Promise<RepositoryLease> {
    const { namespace } = this.#settings;
    const parts = { ...this.#parts, namespace, timeoutMs };
    const location = await findLocation(parts, name.backupStorageLocation, access, signal);
    const planned = planLocation(location, name.volumeNamespace);
    const { metadata } = await waitUntilReady(parts, name, signal);
    const plan = await withCertificates(parts, planned, signal);
    const secret = await readSecret(parts, PASSWORD, 'the password of the repositories', signal);
    // Velero trims it, too.
    const password = secret.trim();
    this.#parts.onSecret?.(password);
    const open = () => this.#open(plan, password);
    const uids = [location.metadata.uid, metadata.uid];
    this.#places.note(metadata.uid, plan);
    return await this.#leases.acquire(keyOf(plan, password, uids), open, signal);
  }

  /**
   * That BackupRepository is gone, and with it what the cache has of it. Where it was is known when
   * it was used in this process, or when its location is there still; what nobody knows goes from
   * the cache when nobody has visited it for long. Never rejects.
   */
  async forget(gone: BackupRepository, signal?: AbortSignal): Promise<void> {
    const { cache, onWarning } = this.#parts;
    try {
      const name = await this.#places.leave(gone, () => this.#planFor(gone, signal));
      if (name !== undefined) await cache?.forgetRepository(name);
    } catch (error) {
      onWarning(notForgotten(error));
    }
  }

  /**
   * Closes all for good, whoever uses them. What storages are asked for is cut off when half of the
   * time is over.
   * @returns false when something does not close even so
   */
  async end(withinMs: number): Promise<{ isClosed: boolean; cut: readonly PendingOperation[] }> {
    this.#isEnded = true;
    if (await this.#leases.close(withinMs / 2)) return { isClosed: true, cut: [] };
    const cut = this.#pending.cut();
    return { isClosed: await this.#leases.close(withinMs / 2), cut };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isEnded) await this.#leases[Symbol.asyncDispose]();
  }

  async #planFor({ spec = {} }: BackupRepository, signal?: AbortSignal): Promise<LocationPlan> {
    const { backupStorageLocation = '', volumeNamespace = '' } = spec;
    const parts = { ...this.#parts, namespace: this.#settings.namespace };
    const location = await findLocation(parts, backupStorageLocation, 'read', signal);
    return planLocation(location, volumeNamespace);
  }

  async #open(plan: LocationPlan, password: string): Promise<Repository> {
    const { clock, cache, metrics, onRetry, onWarning, traffic } = this.#parts;
    const { namespace, credentialsFile, shares, isNativeAllowed, cacheShare } = this.#settings;
    for (const notice of plan.notices) {
      if (this.#noticed.has(notice)) continue;
      this.#noticed.add(notice);
      onWarning(new EngineError('STORAGE_LOCATION_INVALID', notice));
    }
    const place = await placeOf({ ...this.#parts, namespace, credentialsFile }, plan);
    const { isReadOnly } = plan;
    const pending = this.#pending;
    const options = { isReadOnly, metrics, onRetry, pending, clock, traffic };
    const storage = await openStorageAt(place, options);
    try {
      const repository = await openRepository({
        storage,
        isStorageOwned: true,
        password,
        isReadOnly,
        isNativeAllowed,
        cache,
        cacheShare,
        clock,
        onWarning,
        // A move is waiting for it.
        startsThread: true,
        owner: OWNER,
        threads: shares.threads,
        memoryBytes: shares.memoryBytes,
      });
      return repository;
    } catch (error) {
      await storage.close();
      throw error;
    }
  }
}

/**
 * Equal for the same repository with the same words for it, of the same objects: one that is made
 * again under its name may be another repository in the same place. Holds nothing that could be
 * read.
 */
function keyOf(
  plan: LocationPlan,
  password: string,
  uids: readonly (string | undefined)[],
): string {
  return createHash('sha256')
    .update(JSON.stringify([plan, password, uids]))
    .digest('base64');
}

function notForgotten(cause: unknown): EngineError {
  const text = `the cache keeps a repository that is gone for a while: ${messageOf(cause)}`;
  return new EngineError(isEngineError(cause) ? cause.code : 'INTERNAL', text, { cause });
}

function notClosed(cause: unknown): EngineError {
  return new EngineError('INTERNAL', `a repository was not closed well: ${messageOf(cause)}`, {
    cause,
  });
}
