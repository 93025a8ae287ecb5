// Memory with a fixed address, so that native code can be told where bytes lie by a plain number.
//
// Three traps, each of which corrupted memory in a trial: V8 keeps typed arrays of up to 64 bytes
// on its own heap and moves them, so an arena always has an ArrayBuffer of its own; a growing
// WebAssembly memory moves too, so an arena over one must never grow; and an address keeps nothing
// alive, so whoever holds an address holds the arena.

import { addressOf } from './native.ts';

export interface Arena {
  readonly bytes: Uint8Array;
  /** Address of bytes[0], or 0 where native calls are not to be had. */
  readonly address: number;
}

/** Zeroed memory of `length` bytes that only this thread sees. */
export function allocateArena(length: number): Arena {
  return arenaOver(new Uint8Array(new ArrayBuffer(length)));
}

/**
 * Zeroed memory whose first byte lies at a multiple of `alignment`, as O_DIRECT wants it; anywhere
 * where native calls are not to be had.
 */
export function allocateAlignedArena(length: number, alignment: number): Arena {
  const { bytes, address } = allocateArena(length + alignment);
  const start = (alignment - (address % alignment)) % alignment;
  return arenaOver(bytes.subarray(start, start + length));
}

/**
 * An arena over bytes that exist. They must lie in an ArrayBuffer of their own that neither grows
 * nor is transferred while the arena is in use.
 */
export function arenaOver(bytes: Uint8Array): Arena {
  return Object.freeze({ bytes, address: addressOf(bytes) });
}

/** Typed arrays up to this long may lie on V8's own heap. */
const V8_HEAP_BYTES_MAX = 64;

/**
 * The bytes in an ArrayBuffer of their own, which has a fixed address and can be moved to another
 * thread. What a storage gives usually has one; small results may come from a pool and are copied.
 */
export function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
  if (isOwn && bytes.length > V8_HEAP_BYTES_MAX) return new Uint8Array(buffer);
  const copy = new Uint8Array(new ArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
