// The authenticated encryption that every content and every index blob goes through.
// Layout (kopia repo/encryption): nonce(12) || ciphertext || tag(16), associated data = iv, key =
// HMAC-SHA256(derived secret, iv).

import type { Arena } from '#engine/base/arena.ts';

export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
/** How much longer a sealed unit is than its plaintext. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

export interface Region {
  readonly arena: Arena;
  readonly offset: number;
}

/** Seals and opens. Holds scratch memory: one instance serves one thread, one call at a time. */
export interface ContentCipher {
  readonly name: string;
  /**
   * Seals `length` bytes at `plaintext` into `length + SEAL_BYTES` bytes at `sealed`. In place when
   * sealed.offset + NONCE_BYTES == plaintext.offset in the same arena; otherwise the two must not
   * overlap. The nonce is fresh random bytes.
   */
  seal(plaintext: Region, length: number, sealed: Region, iv: Uint8Array): void;
  /**
   * Opens `length` sealed bytes into `length - SEAL_BYTES` bytes at `plaintext`; in place under the
   * same condition. What lies at `plaintext` after a failure is unspecified and must not be used.
   * @throws CONTENT_DAMAGED when the tag does not match or length < SEAL_BYTES
   */
  open(sealed: Region, length: number, plaintext: Region, iv: Uint8Array): void;
}

export interface CipherAlgorithm {
  readonly name: string;
  /** Through node:crypto; always there. `secret` is the repository's derived 32-byte key. */
  readonly portable: (secret: Uint8Array) => ContentCipher;
  /** Through native code; undefined where it cannot be had or fails its self-test. */
  readonly native?: (secret: Uint8Array) => ContentCipher | undefined;
}
