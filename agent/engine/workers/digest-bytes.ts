// Digest of bytes that do not lie in an arena, for the cool paths.

import { allocateArena } from '#engine/base/arena.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';

/** The full-length digest of `bytes`, which are copied once. */
export function digestBytes(hash: ContentHash, bytes: Uint8Array): Uint8Array {
  const arena = allocateArena(Math.max(1, bytes.length));
  arena.bytes.set(bytes);
  const digest = new Uint8Array(hash.digestBytes);
  hash.digest(arena, 0, bytes.length, digest, 0);
  return digest;
}
