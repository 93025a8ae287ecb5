// The memory of the whole process. Its settings are for programs to call at their start, before
// there are threads; a library leaves the process that it lives in alone.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nativeFunction } from './native.ts';

/** glibc's parameters of mallopt(3). */
const M_ARENA_MAX = -8;
const M_MMAP_THRESHOLD = -3;
/** Less than what nghttp2 has for frames to be sent (16,394 bytes), the smallest of its kind. */
const BUFFER_BYTES = 12_000;

/**
 * glibc gives each thread a heap of its own and keeps what was freed there; one heap for all saves
 * 10 to 20 MiB with two workers. Threads that there are already keep theirs.
 */
export function shareSystemHeap(): void {
  nativeFunction('int mallopt(int parameter, int value)')?.(M_ARENA_MAX, 1);
}

/**
 * V8 lets the young generation of the main thread grow to 48 MiB of garbage; kept at its first
 * size it costs a few more collections and saves 15 MiB. Told to optimize for size, V8 compiles
 * less code: the first backup of 150,000 files peaks at 150 in place of 158 MiB and takes as long.
 * Told that nobody waits for its answers, it makes less haste to optimize: 0.94 of the processor
 * time of that backup, 0.96 of its wall time, and 138 in place of 149 MiB; large files and backups
 * with nothing new take as long as before.
 *
 * Node brings its own code compiled for the flags that a process starts with. A thread that starts
 * under others takes 55 ms more, in which it compiles what it needs of that: best called once there
 * is the first.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--efficiency-mode');
}

/** Both. */
export function keepProcessSmall(): void {
  shareSystemHeap();
  keepHeapsSmall();
}

/**
 * For programs that read and write over a network, where each piece that arrives is memory outside
 * of V8's heap. V8 looks through all of the heap each time that such memory has grown a little, and
 * the more often the more it optimizes for size: 290 times in a restore of 3 GB from S3, a third of
 * all CPU. Counted together with the heap it is 14 times: 17 in place of 26 s, 20 in place of 34
 * CPU seconds, and a peak of 470 in place of 360 MiB.
 */
export function expectTraffic(): void {
  setFlagsFromString('--no-optimize-for-size');
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}

/**
 * For programs with many connections that say little. Each of them has a buffer of 64 KiB for what
 * TLS reads and one of 16 KiB for frames of HTTP/2, of which a few hundred bytes are ever used; but
 * made of memory that others had before them, all of it counts. Mapped each by itself, only the
 * pages that were written to do: 22 MiB less with 1,000 connections.
 */
export function keepBuffersApart(): void {
  nativeFunction('int mallopt(int parameter, int value)')?.(M_MMAP_THRESHOLD, BUFFER_BYTES);
}

/**
 * What a native object holds (a port of a thread, a socket) is garbage when that has been
 * collected, and may be such an object itself.
 */
const COLLECTIONS = 3;

/**
 * For a program that lives on and has come to rest: what V8 and glibc keep for the next piece of
 * work goes back to the system. Later than the caller, whose stack may hold the last of it; holds
 * the thread up for some 20 ms a few times.
 */
export async function giveMemoryBack(): Promise<void> {
  keepers ??= findKeepers();
  for (let done = 0; done < COLLECTIONS; done++) {
    await nextTurn();
    keepers.collect();
  }
  // Other threads sweep buffers meanwhile.
  await nextTurn();
  keepers.trim?.(0);
}

/**
 * What was freed goes back to the system, in some 0.6 ms; no collection. Before something is had
 * that stays for long and is written to in part alone: made of memory that others have used, all of
 * it would count. Nothing where it cannot be done.
 */
export function giveFreedBack(): void {
  keepers ??= findKeepers();
  keepers.trim?.(0);
}

let keepers: ReturnType<typeof findKeepers> | undefined;

function findKeepers() {
  // The one way to a collection where the process was started without --expose-gc.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // V8's own, of that flag.
  // What was compiled before is good for the flags that were set then, and threads start later.
  setFlagsFromString('--no-expose-gc');
  return { collect, trim: nativeFunction('int malloc_trim(size_t)') };
}
