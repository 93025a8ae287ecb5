// BLAKE3-256 and BLAKE3-256-128 in keyed mode (kopia repo/hashing/blake3_hashes.go). OpenSSL has no
// BLAKE3, so there is no native form.

import type { ContentHash, HashAlgorithm } from './content-hash.ts';
import { createNobleBlake3, deriveNobleBlake3 } from './noble.ts';

const KEY_BYTES = 32;
const STRETCH_CONTEXT = new TextEncoder().encode('kopia blake3 derived key v1');

function row(name: string, digestBytes: number): HashAlgorithm {
  const portable = (secret: Uint8Array): ContentHash =>
    createNobleBlake3({ name, digestBytes }, keyOf(secret));
  return Object.freeze({ name, digestBytes, portable });
}

/** Short secrets are stretched by BLAKE3's derive-key mode, long ones cut off. */
function keyOf(secret: Uint8Array): Uint8Array {
  if (secret.length >= KEY_BYTES) return secret.slice(0, KEY_BYTES);
  return deriveNobleBlake3(STRETCH_CONTEXT, secret);
}

export const BLAKE3_HASHES: readonly HashAlgorithm[] = Object.freeze([
  row('BLAKE3-256-128', 16),
  row('BLAKE3-256', 32),
]);
