// Settings of the whole process that make it smaller. For programs to call at their start, before
// there are threads; a library leaves the process that it lives in alone.

import { setFlagsFromString } from 'node:v8';
import { nativeFunction } from './native.ts';

/** glibc's parameter of mallopt(3). */
const M_ARENA_MAX = -8;

/**
 * glibc gives each thread a heap of its own and keeps what was freed there; one heap for all saves
 * 10 to 20 MiB with two workers. V8 lets the young generation of the main thread grow to 48 MiB of
 * garbage; kept at its first size it costs a few more collections and saves 15 MiB. Told to
 * optimize for size, V8 compiles less code: the first backup of 150,000 files peaks at 150 in place
 * of 158 MiB and takes as long.
 */
export function keepProcessSmall(): void {
  nativeFunction('int mallopt(int parameter, int value)')?.(M_ARENA_MAX, 1);
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
}
