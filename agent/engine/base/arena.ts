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
 * An arena over bytes that exist. They must lie in an ArrayBuffer of their own that neither grows
 * nor is transferred while the arena is in use.
 */
export function arenaOver(bytes: Uint8Array): Arena {
  return Object.freeze({ bytes, address: addressOf(bytes) });
}
