// Removes blobs that are of no use any more and do no harm where they are. That this fails, as it
// does in a bucket where nothing may be deleted, is no reason to call something failed that is
// done; but somebody has to know, once.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { Storage } from '#engine/storage/storage.ts';

export type OnWarning = (warning: EngineError) => void;

export class Tidying {
  readonly #storage: Storage;
  readonly #onWarning: OnWarning;
  #hasWarned = false;

  constructor(storage: Storage, onWarning: OnWarning) {
    this.#storage = storage;
    this.#onWarning = onWarning;
  }

  /** Resolves when the blob is gone, or cannot be removed. @throws ABORTED */
  async remove(blobId: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#storage.delete(blobId, { signal });
    } catch (error) {
      if (!isEngineError(error) || !error.code.startsWith('STORAGE_')) throw error;
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      this.#onWarning(leftBehind(blobId, this.#storage.displayName, error));
    }
  }
}

function leftBehind(blobId: string, displayName: string, cause: EngineError): EngineError {
  return new EngineError(
    cause.code,
    `cannot remove ${blobId} from ${displayName}, where it is not needed any more and does no ` +
      `harm; neither are others that follow (${cause.message})`,
    { cause, details: { blobId } },
  );
}
