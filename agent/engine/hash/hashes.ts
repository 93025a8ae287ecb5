// The table of every hash that a kopia repository can name (kopia-format.md 3.1), and the one door
// through which the rest of the engine gets a hash.

import { EngineError } from '#engine/base/errors.ts';
import { BLAKE2B_HASHES } from './blake2b.ts';
import { BLAKE2S_HASHES } from './blake2s.ts';
import { BLAKE3_HASHES } from './blake3.ts';
import type { ContentHash, HashAlgorithm } from './content-hash.ts';
import { HMAC_HASHES } from './hmac.ts';

/** By the name that stands in the repository's format. */
export const HASHES: Readonly<Record<string, HashAlgorithm>> = Object.freeze(
  Object.fromEntries(
    [...BLAKE2B_HASHES, ...BLAKE2S_HASHES, ...BLAKE3_HASHES, ...HMAC_HASHES].map(algorithm => [
      algorithm.name,
      algorithm,
    ]),
  ),
);

export interface CreateHashOptions {
  /** Whether native code may be used where it can be had; true by default. */
  readonly native?: boolean;
}

/**
 * The fastest form of the hash that can be had here, keyed with `secret` (which is copied).
 * @throws ALGORITHM_UNKNOWN
 * @throws REPOSITORY_FORMAT_INVALID when the secret is too long or too short for the hash
 */
export function createHash(
  name: string,
  secret: Uint8Array,
  options: CreateHashOptions = {},
): ContentHash {
  const algorithm = Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
  if (algorithm === undefined) {
    throw new EngineError(
      'ALGORITHM_UNKNOWN',
      `the repository uses hash "${name}", which is not known here; known are ` +
        `${Object.keys(HASHES).join(', ')}; a newer version of this program may know it`,
      { details: { family: 'hash', name } },
    );
  }
  const native = options.native === false ? undefined : algorithm.native?.(secret);
  return native ?? algorithm.portable(secret);
}
