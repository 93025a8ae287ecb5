// Keyed hashes in plain JavaScript, by @noble/hashes: the slow path of BLAKE2 and the only one of
// BLAKE3. The keyed state is computed once and copied into one scratch state per digest. The only
// file that imports @noble/hashes.

import { blake2b, blake2s } from '@noble/hashes/blake2.js';
import { blake3 } from '@noble/hashes/blake3.js';
import type { Arena } from '#engine/base/arena.ts';
import type { ContentHash } from './content-hash.ts';
import { assertRange } from './digest-range.ts';

/** What is used of noble's Hash. */
interface KeyedState<State> {
  readonly outputLen: number;
  update(bytes: Uint8Array): unknown;
  digestInto(out: Uint8Array): void;
  _cloneInto(to?: State): State;
}

export interface NobleHashSpec {
  readonly name: string;
  readonly digestBytes: number;
}

/** BLAKE2b with a digest length parameter of `sizeBytes`. */
export function createNobleBlake2b(
  spec: NobleHashSpec,
  sizeBytes: number,
  secret: Uint8Array,
): ContentHash {
  return createNobleHash(spec, blake2b.create({ dkLen: sizeBytes, key: keyOf(secret) }));
}

/** BLAKE2s with a digest length parameter of `sizeBytes`. */
export function createNobleBlake2s(
  spec: NobleHashSpec,
  sizeBytes: number,
  secret: Uint8Array,
): ContentHash {
  return createNobleHash(spec, blake2s.create({ dkLen: sizeBytes, key: keyOf(secret) }));
}

/** BLAKE3 in keyed mode; `key` has 32 bytes. */
export function createNobleBlake3(spec: NobleHashSpec, key: Uint8Array): ContentHash {
  return createNobleHash(spec, blake3.create({ dkLen: 32, key }));
}

/** BLAKE3 in derive-key mode. */
export function deriveNobleBlake3(context: Uint8Array, material: Uint8Array): Uint8Array {
  return blake3(material, { context, dkLen: 32 });
}

// An empty key is no key: RFC 7693 hashes a key block only for keys of one byte and more.
function keyOf(secret: Uint8Array): Uint8Array | undefined {
  return secret.length === 0 ? undefined : secret;
}

/** `keyed` is a state that has absorbed the secret and nothing else; it is owned from here on. */
function createNobleHash<State extends KeyedState<State>>(
  spec: NobleHashSpec,
  keyed: State,
): ContentHash {
  const { name, digestBytes } = spec;
  const result = new Uint8Array(keyed.outputLen);
  const scratch = keyed._cloneInto();
  return Object.freeze({
    name,
    digestBytes,
    digest(input: Arena, offset: number, length: number, out: Uint8Array, outOffset: number): void {
      assertRange(input.bytes, offset, length);
      assertRange(out, outOffset, digestBytes);
      keyed._cloneInto(scratch);
      scratch.update(input.bytes.subarray(offset, offset + length));
      scratch.digestInto(result);
      for (let i = 0; i < digestBytes; i++) out[outOffset + i] = result[i];
    },
  });
}
