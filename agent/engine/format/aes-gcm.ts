// AES-256-GCM over whole small documents: nonce(12) || ciphertext || tag(16). Contents and index
// blobs go through the ciphers of cipher/; here are only the few blobs with a key of their own.

import { createCipheriv, createDecipheriv } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Fresh random bytes, as many as asked for. Tests hand in their own. */
export type RandomBytes = (count: number) => Uint8Array;

export interface GcmKey {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Associated data. */
  readonly aad: Uint8Array;
}

export function sealGcm(key: GcmKey, plaintext: Uint8Array, random: RandomBytes): Uint8Array {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.key, nonce);
  cipher.setAAD(key.aad);
  const pieces = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
  return new Uint8Array(Buffer.concat(pieces));
}

/** The plaintext, or undefined when key, associated data and bytes do not belong together. */
export function openGcm(key: GcmKey, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const tagOffset = sealed.length - TAG_BYTES;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', key.key, nonce, options);
  decipher.setAAD(key.aad);
  decipher.setAuthTag(sealed.subarray(tagOffset));
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, tagOffset));
  try {
    return new Uint8Array(Buffer.concat([plaintext, decipher.final()]));
  } catch {
    // The only thing final() complains about is the tag; the caller knows what that means.
    return undefined;
  }
}
