// Sealing and opening for cool paths (format blobs, index blobs, sessions): they allocate and copy,
// and ask nothing about where bytes lie.

import { allocateArena } from '#engine/base/arena.ts';
import { NONCE_BYTES, SEAL_BYTES, TAG_BYTES, type ContentCipher } from './content-cipher.ts';

/** The sealed form of `plaintext`, in memory of the caller's. */
export function sealBytes(
  cipher: ContentCipher,
  plaintext: Uint8Array,
  iv: Uint8Array,
): Uint8Array {
  const arena = allocateArena(plaintext.length + SEAL_BYTES);
  arena.bytes.set(plaintext, NONCE_BYTES);
  const inside = { arena, offset: NONCE_BYTES };
  cipher.seal(inside, plaintext.length, { arena, offset: 0 }, iv);
  return arena.bytes;
}

/**
 * The plaintext of `sealed`, in memory of the caller's.
 * @throws CONTENT_DAMAGED when the tag does not match or `sealed` is too short to have one
 */
export function openBytes(cipher: ContentCipher, sealed: Uint8Array, iv: Uint8Array): Uint8Array {
  // Room for a seal in any case, so that what is too short is refused by the cipher.
  const arena = allocateArena(Math.max(sealed.length, SEAL_BYTES));
  arena.bytes.set(sealed);
  const inside = { arena, offset: NONCE_BYTES };
  cipher.open({ arena, offset: 0 }, sealed.length, inside, iv);
  return arena.bytes.subarray(NONCE_BYTES, sealed.length - TAG_BYTES);
}
