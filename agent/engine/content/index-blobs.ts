// Which blobs make up the index right now, and their decrypted bytes. The index set is read without
// locks beside maintenance that replaces blobs by merged ones: a blob that was listed and is gone
// means that the listing is old, and the whole step is done again (kopia-format.md 6.6).

import type { Clock } from '#engine/base/clock.ts';
import { equalBytes, toHex } from '#engine/base/bytes.ts';
import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';
import type { ContentCipher } from '#engine/cipher/content-cipher.ts';
import { openBytes } from '#engine/cipher/seal-bytes.ts';
import {
  EPOCH_PREFIX,
  ivOfBlobId,
  LEGACY_COMPACTION_PREFIX,
  LEGACY_INDEX_PREFIX,
} from '#engine/format/blob-names.ts';
import { unwrapEcc } from '#engine/format/ecc.ts';
import { epochState, type EpochState, selectIndexBlobs } from '#engine/format/epochs.ts';
import { decodeCompactionLog, selectLegacyIndexBlobs } from '#engine/format/legacy-index.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import type { BlobMetadata, Storage } from '#engine/storage/storage.ts';
import { digestBytes } from '#engine/workers/digest-bytes.ts';

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
  readonly hash: ContentHash;
  readonly cipher: ContentCipher;
  readonly clock: Clock;
}

export interface IndexBlobsOptions {
  readonly hasEpochs: boolean;
  /** 0 where stored units carry no parity. */
  readonly eccOverheadPercent: number;
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

  /**
   * The plaintext of an index blob, checked against the hash in its name.
   * @throws INDEX_BLOB_MISSING, INDEX_DAMAGED
   */
  async read(blobId: string, signal?: AbortSignal): Promise<Uint8Array> {
    const sealed = await this.#get(blobId, signal);
    const { eccOverheadPercent } = this.#options;
    let plaintext: Uint8Array;
    try {
      const inner = eccOverheadPercent > 0 ? unwrapEcc(sealed, eccOverheadPercent) : sealed;
      plaintext = openBytes(this.#parts.cipher, inner, ivOfBlobId(blobId));
    } catch (error) {
      throw damaged(blobId, messageOf(error), error);
    }
    const hash = digestBytes(this.#parts.hash, plaintext);
    if (!blobId.includes(toHex(hash)) && !equalBytes(hash, ivOfBlobId(blobId))) {
      throw damaged(blobId, 'its bytes do not hash to its name');
    }
    return plaintext;
  }

  async #listLegacy(signal?: AbortSignal): Promise<BlobMetadata[]> {
    const indexBlobs = await this.#listPrefix(LEGACY_INDEX_PREFIX, signal);
    const logBlobs = await this.#listPrefix(LEGACY_COMPACTION_PREFIX, signal);
    const logs = [];
    for (const { id } of logBlobs) logs.push(decodeCompactionLog(await this.read(id, signal), id));
    return selectLegacyIndexBlobs(indexBlobs, logs);
  }

  async #listPrefix(prefix: string, signal?: AbortSignal): Promise<BlobMetadata[]> {
    return Array.fromAsync(this.#parts.storage.list(prefix, { signal }));
  }

  async #get(blobId: string, signal?: AbortSignal): Promise<Uint8Array> {
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
}

function damaged(blobId: string, reason: string, cause?: unknown): EngineError {
  return new EngineError(
    'INDEX_DAMAGED',
    `index blob ${blobId} is damaged (${reason}); restore that blob from a copy of the ` +
      'storage, or run "kopia index recover"',
    { cause, details: { blobId } },
  );
}
