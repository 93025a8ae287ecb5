// The keyed hash that names contents, and the two forms an implementation of it can take.

import type { Arena } from '#engine/base/arena.ts';

/** A keyed hash. Holds scratch memory: one instance serves one thread, one call at a time. */
export interface ContentHash {
  readonly name: string;
  readonly digestBytes: number;
  /**
   * Writes the digest of input.bytes[offset, offset + length) to out[outOffset…]. Only `out` is
   * changed. A length of 0 is fine.
   */
  digest(input: Arena, offset: number, length: number, out: Uint8Array, outOffset: number): void;
}

export interface HashAlgorithm {
  readonly name: string;
  readonly digestBytes: number;
  /** Plain JavaScript; always there. */
  readonly portable: (secret: Uint8Array) => ContentHash;
  /** Through native code; undefined where it cannot be had or fails its self-test. */
  readonly native?: (secret: Uint8Array) => ContentHash | undefined;
}
