// From sealed bytes back to a content's plaintext, with everything checked: the tag, the
// compression header, the length the index promised, and the hash that names the content. Stock
// readers leave out the last two (kopia-format.md 14.2); we do not, so a wrong byte never leaves
// this function. Used by worker threads for bulk and by the main thread for single small contents.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { toHex } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import { type ContentCipher, NONCE_BYTES, SEAL_BYTES } from '#engine/cipher/content-cipher.ts';
import { decompress } from '#engine/compress/decompress.ts';
import { unwrapEcc } from '#engine/format/ecc.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';

export interface SealedContent {
  /** Where the sealed bytes lie in the arena that is given along. They are overwritten. */
  readonly offset: number;
  readonly length: number;
  /** Prefix byte (0 for none), then the hash. */
  readonly key: Uint8Array;
  readonly originalBytes: number;
  readonly compressionId: number;
}

const IV_BYTES = 16;

export class ContentOpener {
  readonly #hash: ContentHash;
  readonly #cipher: ContentCipher;
  readonly #eccOverheadPercent: number;
  readonly #digest: Uint8Array;
  #scratch: Arena;

  constructor(hash: ContentHash, cipher: ContentCipher, options: { eccOverheadPercent: number }) {
    this.#hash = hash;
    this.#cipher = cipher;
    this.#eccOverheadPercent = options.eccOverheadPercent;
    this.#digest = new Uint8Array(hash.digestBytes);
    this.#scratch = allocateArena(64 * 1024);
  }

  /**
   * Opens one content. The result is a view of the arena where the content is not compressed, and
   * memory of its own otherwise.
   * @throws CONTENT_DAMAGED naming the content
   */
  open(arena: Arena, sealed: SealedContent): Uint8Array {
    try {
      return this.#eccOverheadPercent > 0
        ? this.#openCorrected(arena, sealed)
        : this.#openPlain(arena, sealed);
    } catch (error) {
      throw new EngineError('CONTENT_DAMAGED', describeDamage(sealed, error), { cause: error });
    }
  }

  /**
   * The same as a region of an arena, for native calls: of the one that was given where the content
   * is not compressed, else of memory that the next call overwrites.
   */
  openRegion(
    arena: Arena,
    sealed: SealedContent,
  ): { readonly arena: Arena; readonly offset: number; readonly length: number } {
    const plain = this.open(arena, sealed);
    const isInPlace = plain.buffer === arena.bytes.buffer;
    if (!isInPlace) {
      if (plain.length > this.#scratch.bytes.length) this.#scratch = allocateArena(plain.length);
      this.#scratch.bytes.set(plain);
    }
    const offset = isInPlace ? plain.byteOffset - arena.bytes.byteOffset : 0;
    return { arena: isInPlace ? arena : this.#scratch, offset, length: plain.length };
  }

  #openCorrected(arena: Arena, sealed: SealedContent): Uint8Array {
    const stored = arena.bytes.subarray(sealed.offset, sealed.offset + sealed.length);
    const inner = unwrapEcc(stored, this.#eccOverheadPercent);
    const copy = allocateArena(inner.length);
    copy.bytes.set(inner);
    return this.#openPlain(copy, { ...sealed, offset: 0, length: inner.length });
  }

  #openPlain(arena: Arena, { offset, length, key, ...expected }: SealedContent): Uint8Array {
    const iv = key.subarray(Math.max(1, key.length - IV_BYTES));
    const plainOffset = offset + NONCE_BYTES;
    const plainBytes = length - SEAL_BYTES;
    this.#cipher.open({ arena, offset }, length, { arena, offset: plainOffset }, iv);
    const stored = arena.bytes.subarray(plainOffset, plainOffset + plainBytes);
    if (expected.compressionId === 0) {
      this.#checkHash(arena, plainOffset, plainBytes, key);
      this.#checkLength(plainBytes, expected.originalBytes);
      return stored;
    }
    const plain = decompress(expected.compressionId, stored, expected.originalBytes);
    this.#checkLength(plain.length, expected.originalBytes);
    if (plain.length > this.#scratch.bytes.length) this.#scratch = allocateArena(plain.length);
    this.#scratch.bytes.set(plain);
    this.#checkHash(this.#scratch, 0, plain.length, key);
    return plain;
  }

  #checkHash(arena: Arena, offset: number, length: number, key: Uint8Array): void {
    this.#hash.digest(arena, offset, length, this.#digest, 0);
    if (Buffer.compare(this.#digest, key.subarray(1)) !== 0) {
      throw new EngineError('CONTENT_DAMAGED', 'its bytes do not hash to its id');
    }
  }

  #checkLength(length: number, expected: number): void {
    if (length !== expected) {
      throw new EngineError(
        'CONTENT_DAMAGED',
        `it has ${length} bytes where the index says ${expected}`,
      );
    }
  }
}

function describeDamage({ key }: SealedContent, error: unknown): string {
  const prefix = key[0] === 0 ? '' : String.fromCharCode(key[0]);
  const reason = error instanceof Error ? error.message : String(error);
  return (
    `content ${prefix}${toHex(key.subarray(1))} is damaged: ${reason}; run "stevedore ` +
    'repo check --read-data" to see what else is'
  );
}
