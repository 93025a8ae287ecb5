// BLAKE2S-128 and BLAKE2S-256 (kopia repo/hashing/blake_hashes.go). Unlike BLAKE2b's, the short one
// is a hash of its own (digest length parameter 16), and it cannot be had without a key.

import type { HashAlgorithm } from './content-hash.ts';
import { hashAlgorithm } from './hash-family.ts';
import type { SecretLimits } from './hash-secret.ts';
import { createNobleBlake2s } from './noble.ts';
import type { SelfTestVectors } from './self-test.ts';

function row(
  name: string,
  digestBytes: number,
  limits: SecretLimits,
  vectors: SelfTestVectors,
): HashAlgorithm {
  return hashAlgorithm({
    name,
    digestBytes,
    mac: 'BLAKE2SMAC',
    sizeBytes: digestBytes,
    limits,
    vectors,
    createPortable: secret => createNobleBlake2s({ name, digestBytes }, digestBytes, secret),
  });
}

export const BLAKE2S_HASHES: readonly HashAlgorithm[] = Object.freeze([
  row(
    'BLAKE2S-128',
    16,
    { bytesMin: 1, bytesMax: 32 },
    {
      hello: '5e2cd0fd0f1bec9ad3ac38410743b194',
      pattern: 'c6fdc3a2a48ddebb9eb9e2f669008020',
    },
  ),
  row(
    'BLAKE2S-256',
    32,
    { bytesMin: 0, bytesMax: 32 },
    {
      hello: '3d9a0c112c8ab75132393284675fbef16568314b63f19ca44020932568ae0180',
      pattern: 'b864d52e5af27c566d626ed7d123c185cc01ba3c676c1786f041d7364f00e7bd',
    },
  ),
]);
