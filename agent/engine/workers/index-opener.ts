// From a sealed index blob to the index file in it, checked against the hash in the blob's name.
// Used by the main thread for small blobs and by a worker thread for large ones.

import { arenaOver, ownBuffer } from '#engine/base/arena.ts';
import { equalBytes, toHex } from '#engine/base/bytes.ts';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { type ContentCipher, NONCE_BYTES, SEAL_BYTES } from '#engine/cipher/content-cipher.ts';
import { ivOfBlobId } from '#engine/format/blob-names.ts';
import { unwrapEcc } from '#engine/format/ecc.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';

export class IndexOpener {
  readonly #hash: ContentHash;
  readonly #cipher: ContentCipher;
  readonly #eccOverheadPercent: number;

  /** @param options eccOverheadPercent is 0 where stored units carry no parity */
  constructor(hash: ContentHash, cipher: ContentCipher, options: { eccOverheadPercent: number }) {
    this.#hash = hash;
    this.#cipher = cipher;
    this.#eccOverheadPercent = options.eccOverheadPercent;
  }

  /**
   * The index file. It lies in the memory of `sealed` where that has a buffer of its own: an index
   * of a large repository is not to be in memory twice.
   * @throws INDEX_DAMAGED
   */
  open(blobId: string, sealed: Uint8Array): Uint8Array {
    try {
      return this.#open(blobId, ownBuffer(this.#withoutParity(sealed)));
    } catch (error) {
      throw damaged(blobId, error);
    }
  }

  #open(blobId: string, sealed: Uint8Array<ArrayBuffer>): Uint8Array {
    const length = sealed.length - SEAL_BYTES;
    if (length < 0) throw new EngineError('INDEX_DAMAGED', `it has ${sealed.length} bytes`);
    const iv = ivOfBlobId(blobId);
    const arena = arenaOver(sealed);
    this.#cipher.open({ arena, offset: 0 }, sealed.length, { arena, offset: NONCE_BYTES }, iv);
    const hash = new Uint8Array(this.#hash.digestBytes);
    this.#hash.digest(arena, NONCE_BYTES, length, hash, 0);
    if (!blobId.includes(toHex(hash)) && !equalBytes(hash, iv)) {
      throw new EngineError('INDEX_DAMAGED', 'its bytes do not hash to its name');
    }
    return sealed.subarray(NONCE_BYTES, NONCE_BYTES + length);
  }

  #withoutParity(sealed: Uint8Array): Uint8Array {
    const percent = this.#eccOverheadPercent;
    return percent > 0 ? unwrapEcc(sealed, percent) : sealed;
  }
}

function damaged(blobId: string, cause: unknown): EngineError {
  return new EngineError(
    'INDEX_DAMAGED',
    `index blob ${blobId} is damaged (${messageOf(cause)}); restore that blob from a copy of the ` +
      'storage, ' +
      `or run "kopia index recover"`,
    { cause, details: { blobId } },
  );
}
