// Keyed hashes in plain JavaScript, by @noble/hashes: the slow path of BLAKE2 and the only one of
// BLAKE3. The keyed state is computed once and copied into one scratch state per digest.

import type { Arena } from '#engine/base/arena.ts';
import type { ContentHash } from './content-hash.ts';
import { assertRange } from './digest-range.ts';

/** What is used of noble's Hash. */
export interface KeyedState<State> {
  readonly outputLen: number;
  update(bytes: Uint8Array): unknown;
  digestInto(out: Uint8Array): void;
  _cloneInto(to?: State): State;
}

export interface NobleHashSpec {
  readonly name: string;
  readonly digestBytes: number;
}

/** `keyed` is a state that has absorbed the secret and nothing else; it is owned from here on. */
export function createNobleHash<State extends KeyedState<State>>(
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
