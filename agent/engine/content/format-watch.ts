// Reads kopia.repository and kopia.blobcfg again where a repository stays open, since they change
// under it: somebody locks it for an upgrade, which all who write must notice while writers are
// drained; somebody sets a retention. kopia's clients look as often (repo/format/format_manager.go,
// DefaultRepositoryBlobCacheDuration).

import { isDeepStrictEqual } from 'node:util';
import { abortable, throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { RepositoryConfig } from '#engine/format/repository-config.ts';
import type { RetentionSettings } from '#engine/storage/retaining.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { reloadRepositoryFormat, type RepositoryFormat } from './repository-format.ts';

const AGE_MS_MAX = 15 * 60 * 1000;

export class FormatWatch {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #opened: RepositoryFormat;
  #blobConfig: RepositoryFormat['blobConfig'];
  #readAtMs: number;
  #reading: Promise<void> | undefined;
  #isOutdated = false;

  /** @param format as it was read just now */
  constructor(storage: Storage, clock: Clock, format: RepositoryFormat) {
    this.#storage = storage;
    this.#clock = clock;
    this.#opened = format;
    this.#blobConfig = format.blobConfig;
    this.#readAtMs = clock.monotonic();
  }

  /** What applies to blobs that are written from now on. */
  get retention(): RetentionSettings | undefined {
    const { retention } = this.#blobConfig;
    if (!retention) return undefined;
    return { mode: retention.mode, periodMs: Number(retention.periodNs / 1_000_000n) };
  }

  /**
   * Whether the repository has to be opened anew to go by what it says now. What is under way may
   * go on: what it writes can be read, and the keys of contents are for life.
   */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  /**
   * Looks when the last look is old. Calls that come while one is under way share it.
   * @throws REPOSITORY_UPGRADE_IN_PROGRESS, REPOSITORY_FEATURE_UNSUPPORTED,
   *   REPOSITORY_FORMAT_TOO_NEW as long as that is so, and failures of the storage
   */
  async look(signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (this.#clock.monotonic() - this.#readAtMs < AGE_MS_MAX) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await abortable(this.#reading, signal);
  }

  async #read(): Promise<void> {
    const startMs = this.#clock.monotonic();
    const nowNs = this.#clock.nowNanoseconds();
    try {
      const now = await reloadRepositoryFormat(this.#storage, this.#opened, nowNs);
      this.#blobConfig = now.blobConfig;
      this.#isOutdated ||= !areSame(now.config, this.#opened.config);
    } catch (error) {
      if (!isToldByOpening(error)) throw error;
      this.#isOutdated = true;
    }
    this.#readAtMs = startMs;
  }
}

/** A lock that is announced changes nothing yet, and is looked at with each reading. */
function areSame(a: RepositoryConfig, b: RepositoryConfig): boolean {
  return isDeepStrictEqual({ ...a, upgradeLock: undefined }, { ...b, upgradeLock: undefined });
}

/** The password was changed, another repository was made there, the blobs were lost or damaged. */
function isToldByOpening(error: unknown): boolean {
  return isEngineError(
    error,
    'REPOSITORY_PASSWORD_WRONG',
    'REPOSITORY_KEYS_DIFFER',
    'REPOSITORY_FORMAT_INVALID',
    'REPOSITORY_NOT_FOUND',
    'ALGORITHM_UNKNOWN',
  );
}
