// BLAKE2B-256 and BLAKE2B-256-128, kopia's default (kopia repo/hashing/blake_hashes.go). The short
// one is the long one cut off, not a BLAKE2b that was asked for 16 bytes.

import type { HashAlgorithm } from './content-hash.ts';
import { hashAlgorithm } from './hash-family.ts';
import { createNobleBlake2b } from './noble.ts';

const SIZE_BYTES = 32;
const LIMITS = Object.freeze({ bytesMin: 0, bytesMax: 64 });
const VECTORS = Object.freeze({
  hello: '0303f40780e21a28597f9b8787ad48f41372cdea563a2b8f56d01d35270ea4ac',
  pattern: '53c80bd7053be431bbbbf71ff21c57d6ecac414e92c4c1620a871bea0f8dc8b3',
});

function row(name: string, digestBytes: number): HashAlgorithm {
  return hashAlgorithm({
    name,
    digestBytes,
    mac: 'BLAKE2BMAC',
    sizeBytes: SIZE_BYTES,
    limits: LIMITS,
    vectors: VECTORS,
    createPortable: secret => createNobleBlake2b({ name, digestBytes }, SIZE_BYTES, secret),
  });
}

export const BLAKE2B_HASHES: readonly HashAlgorithm[] = Object.freeze([
  row('BLAKE2B-256-128', 16),
  row('BLAKE2B-256', 32),
]);
