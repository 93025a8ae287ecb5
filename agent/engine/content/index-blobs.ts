// Which blobs make up the index right now, and their bytes. The index set is read without
// locks beside maintenance that replaces blobs by merged ones: a blob that was listed and is gone
// means that the listing is old, and the whole step is done again (kopia-format.md 6.6).

import type { Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import {
  EPOCH_PREFIX,
  LEGACY_COMPACTION_PREFIX,
  LEGACY_INDEX_PREFIX,
} from '#engine/format/blob-names.ts';
import { epochState, type EpochState, selectIndexBlobs } from '#engine/format/epochs.ts';
import { decodeCompactionLog, selectLegacyIndexBlobs } from '#engine/format/legacy-index.ts';
import type { BlobMetadata, Storage } from '#engine/storage/storage.ts';
import type { IndexOpener } from '#engine/workers/index-opener.ts';
import { orAnew } from './or-anew.ts';

/** What one listing said. */
export interface IndexListing {
  /** Milliseconds since 1970 when the listing began. */
  readonly readAtMs: number;
  /** Undefined where the epoch manager is off. */
  readonly epochs: EpochState<BlobMetadata> | undefined;
  readonly blobs: readonly BlobMetadata[];
}

export interface IndexBlobsParts {
  readonly storage: Storage;
  readonly opener: IndexOpener;
  readonly clock: Clock;
}

export interface IndexBlobsOptions {
  readonly hasEpochs: boolean;
}

export class IndexBlobs {
  readonly #parts: IndexBlobsParts;
  readonly #options: IndexBlobsOptions;

  constructor(parts: IndexBlobsParts, options: IndexBlobsOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async list(signal?: AbortSignal): Promise<IndexListing> {
    const readAtMs = this.#parts.clock.now();
    if (!this.#options.hasEpochs) {
      return { readAtMs, epochs: undefined, blobs: await this.#listLegacy(signal) };
    }
    const epochs = epochState(await this.#listPrefix(EPOCH_PREFIX, signal));
    return { readAtMs, epochs, blobs: selectIndexBlobs(epochs) };
  }

  /** The index file in a blob that get() gave; see IndexOpener. */
  open(blobId: string, sealed: Uint8Array): Uint8Array {
    return this.#parts.opener.open(blobId, sealed);
  }

  /**
   * An index blob as it is stored.
   * @throws INDEX_BLOB_MISSING
   */
  async get(blobId: string, signal?: AbortSignal): Promise<Uint8Array> {
    try {
      return await this.#parts.storage.get(blobId, { signal });
    } catch (error) {
      if (!isEngineError(error, 'STORAGE_BLOB_NOT_FOUND')) throw error;
      throw new EngineError(
        'INDEX_BLOB_MISSING',
        `index blob ${blobId} was listed but is gone; maintenance may be replacing it, ` +
          'run it again',
        { cause: error, details: { blobId } },
      );
    }
  }

  /** Runs `open` on an index blob that get() gave, once more where a cache has kept damage. */
  async opened<Result>(
    { id, sealed }: { readonly id: string; readonly sealed: Uint8Array },
    open: (sealed: Uint8Array) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    const again = async (): Promise<Result> => open(await this.get(id, signal));
    const forget = async (): Promise<boolean> =>
      (await this.#parts.storage.cache?.forget(id)) ?? false;
    return await orAnew(forget, () => open(sealed), again);
  }

  async #listLegacy(signal?: AbortSignal): Promise<BlobMetadata[]> {
    const indexBlobs = await this.#listPrefix(LEGACY_INDEX_PREFIX, signal);
    const logBlobs = await this.#listPrefix(LEGACY_COMPACTION_PREFIX, signal);
    const logs = [];
    for (const { id } of logBlobs) {
      const fetched = { id, sealed: await this.get(id, signal) };
      const log = await this.opened(fetched, async sealed => this.open(id, sealed), signal);
      logs.push(decodeCompactionLog(log, id));
    }
    return selectLegacyIndexBlobs(indexBlobs, logs);
  }

  async #listPrefix(prefix: string, signal?: AbortSignal): Promise<BlobMetadata[]> {
    return Array.fromAsync(this.#parts.storage.list(prefix, { signal }));
  }
}
