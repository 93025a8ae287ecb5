// Gives the memory of an arena back to the system while the arena itself stays, for memory that is
// needed once and would else wait for the collector to hear of it.

import type { Arena } from './arena.ts';
import { nativeFunction } from './native.ts';

/** madvise(2) of Linux. */
const MADV_DONTNEED = 4;

/**
 * Zeroes the bytes, by giving up their pages where native calls are to be had. The arena must cover
 * whole pages that nobody else uses, such as those of a WebAssembly memory.
 */
export function releasePages({ bytes, address }: Arena): void {
  const madvise = nativeFunction('int madvise(uintptr_t address, size_t bytes, int advice)');
  if (madvise?.(address, bytes.length, MADV_DONTNEED) !== 0) bytes.fill(0);
}
