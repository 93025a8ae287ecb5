// From sealed bytes back to a content's plaintext, with everything checked: the tag, the
// compression header, the length the index promised, and the hash that names the content. Stock
// readers leave out the last two (kopia-format.md 14.2); we do not, so a wrong byte never leaves
// this function. Used by worker threads for bulk and by the main thread for single small contents.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { toHex } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import { type ContentCipher, NONCE_BYTES, SEAL_BYTES } from '#engine/cipher/content-cipher.ts';
import {
  compressionByHeaderId,
  HEADER_BYTES,
  readHeaderId,
} from '#engine/compress/compressions.ts';
import { decompress } from '#engine/compress/decompress.ts';
import { type NativeUnzstd, nativeUnzstd } from '#engine/compress/native-zstd.ts';
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

/** Bytes of an arena. */
export interface PlainRegion {
  readonly arena: Arena;
  readonly offset: number;
  readonly length: number;
}

type Allocate = (bytes: number) => Arena;

const IV_BYTES = 16;
/** What is to be larger than any content of kopia's is inflated step by step, and not believed. */
const NATIVE_BYTES_MAX = 32 << 20;

export interface ContentOpenerOptions {
  /** 0 for none. */
  readonly eccOverheadPercent: number;
  /** False keeps to Node's own decompression. */
  readonly isNativeAllowed: boolean;
}

export class ContentOpener {
  readonly #hash: ContentHash;
  readonly #cipher: ContentCipher;
  readonly #eccOverheadPercent: number;
  readonly #digest: Uint8Array;
  readonly #unzstd: NativeUnzstd | undefined;
  #scratch: Arena;

  constructor(hash: ContentHash, cipher: ContentCipher, options: ContentOpenerOptions) {
    this.#hash = hash;
    this.#cipher = cipher;
    this.#eccOverheadPercent = options.eccOverheadPercent;
    this.#digest = new Uint8Array(hash.digestBytes);
    this.#unzstd = options.isNativeAllowed ? nativeUnzstd() : undefined;
    this.#scratch = allocateArena(64 * 1024);
  }

  /**
   * Opens one content. The result is a view of the arena where the content is not compressed, and
   * memory of its own otherwise.
   * @throws CONTENT_DAMAGED naming the content
   */
  open(arena: Arena, sealed: SealedContent): Uint8Array {
    const plain = this.#open(arena, sealed, allocateArena);
    return plain.arena.bytes.subarray(plain.offset, plain.offset + plain.length);
  }

  /**
   * The same as a region of an arena, for native calls: of the one that was given where the content
   * is not compressed, else of memory that the next call overwrites.
   */
  openRegion(arena: Arena, sealed: SealedContent): PlainRegion {
    return this.#open(arena, sealed, this.#scratchOf);
  }

  readonly #scratchOf = (bytes: number): Arena => {
    if (bytes > this.#scratch.bytes.length) this.#scratch = allocateArena(bytes);
    return this.#scratch;
  };

  #open(arena: Arena, sealed: SealedContent, allocate: Allocate): PlainRegion {
    try {
      return this.#eccOverheadPercent > 0
        ? this.#openCorrected(arena, sealed, allocate)
        : this.#openPlain(arena, sealed, allocate);
    } catch (error) {
      throw new EngineError('CONTENT_DAMAGED', describeDamage(sealed, error), { cause: error });
    }
  }

  #openCorrected(arena: Arena, sealed: SealedContent, allocate: Allocate): PlainRegion {
    const stored = arena.bytes.subarray(sealed.offset, sealed.offset + sealed.length);
    const inner = unwrapEcc(stored, this.#eccOverheadPercent);
    const copy = allocateArena(inner.length);
    copy.bytes.set(inner);
    return this.#openPlain(copy, { ...sealed, offset: 0, length: inner.length }, allocate);
  }

  #openPlain(arena: Arena, sealed: SealedContent, allocate: Allocate): PlainRegion {
    const { offset, length, key, originalBytes, compressionId } = sealed;
    const iv = key.subarray(Math.max(1, key.length - IV_BYTES));
    const plainOffset = offset + NONCE_BYTES;
    this.#cipher.open({ arena, offset }, length, { arena, offset: plainOffset }, iv);
    const stored = { arena, offset: plainOffset, length: length - SEAL_BYTES };
    const plain =
      compressionId === 0
        ? stored
        : this.#inflate(stored, { compressionId, originalBytes }, allocate);
    this.#checkHash(plain, key);
    if (plain.length === originalBytes) return plain;
    const lengths = `${plain.length} bytes where the index says ${originalBytes}`;
    throw new EngineError('CONTENT_DAMAGED', `it has ${lengths}`);
  }

  #inflate(
    { arena, offset, length }: PlainRegion,
    { compressionId, originalBytes }: Pick<SealedContent, 'compressionId' | 'originalBytes'>,
    allocate: Allocate,
  ): PlainRegion {
    const stored = arena.bytes.subarray(offset, offset + length);
    const unzstd = originalBytes <= NATIVE_BYTES_MAX ? this.#unzstd : undefined;
    if (unzstd && isZstd(compressionId, stored)) {
      const inflated = allocate(originalBytes);
      const from = offset + HEADER_BYTES;
      if (unzstd(arena, from, length - HEADER_BYTES, inflated, originalBytes)) {
        return { arena: inflated, offset: 0, length: originalBytes };
      }
    }
    // Of all other forms, and of what is damaged, which is told apart here.
    const plain = decompress(compressionId, stored, originalBytes);
    const inflated = allocate(plain.length);
    inflated.bytes.set(plain);
    return { arena: inflated, offset: 0, length: plain.length };
  }

  #checkHash({ arena, offset, length }: PlainRegion, key: Uint8Array): void {
    const digest = this.#digest;
    this.#hash.digest(arena, offset, length, digest, 0);
    let isSame = key.length === digest.length + 1;
    for (let index = 0; isSame && index < digest.length; index++) {
      isSame = digest[index] === key[index + 1];
    }
    if (!isSame) throw new EngineError('CONTENT_DAMAGED', 'its bytes do not hash to its id');
  }
}

function isZstd(compressionId: number, stored: Uint8Array): boolean {
  const isNamed = compressionByHeaderId(compressionId)?.family === 'zstd';
  return isNamed && readHeaderId(stored) === compressionId;
}

function describeDamage({ key }: SealedContent, error: unknown): string {
  const prefix = key[0] === 0 ? '' : String.fromCharCode(key[0]);
  const reason = error instanceof Error ? error.message : String(error);
  return (
    `content ${prefix}${toHex(key.subarray(1))} is damaged: ${reason}; run "stevedore ` +
    'repo check --read-data" to see what else is'
  );
}
