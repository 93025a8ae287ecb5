// The neighbour: waits a while, writes a file until the disk is full, and removes it after a
// moment. `cache-neighbour-writer.ts DIRECTORY SEED BYTES_A_SECOND`
//
// It writes past the memory of the kernel (O_DIRECT), so that what it has written is what the disk
// has taken, and one copy fewer is in the way.

import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { systemCodeOf } from '#engine/base/errors.ts';
import { allocateAlignedArena } from '#engine/base/arena.ts';
import { MIB } from '#test/engine/cache/scratch-cache.ts';
import { SeededRandom } from '#test/support/random.ts';
import { WINDOW_MS } from './cache-neighbour.ts';

export interface Written {
  readonly bytes: number;
  readonly seconds: number;
  /** Of each window of WINDOW_MS, but for the last one, which the full disk cut short. */
  readonly bytesPerSecond: readonly number[];
}

const STEP_BYTES = 4 * MIB;
const ALIGNMENT = 4096;
/** The cache fills meanwhile. */
const QUIET_MS_MIN = 2500;
const QUIET_MS = 2000;
const HOLD_MS = 300;
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_DIRECT;
const [directory = '', seed, rate] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
// Before whoever else wants the processor, and before the cache.
setPriority(-15);

const random = new SeededRandom(Number(seed));
const { bytes: step } = allocateAlignedArena(STEP_BYTES, ALIGNMENT);
step.set(random.bytes(STEP_BYTES));
const path = `${directory}/neighbour`;

await pause(QUIET_MS_MIN + random.below(QUIET_MS));
process.send?.(await fill());
await pause(HOLD_MS);
rmSync(path);
process.disconnect();

async function fill(): Promise<Written> {
  const file = openSync(path, FLAGS);
  const start = performance.now();
  const elapsedMs = (): number => performance.now() - start;
  const windows: number[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const written = writeSync(file, step);
      const window = Math.floor(elapsedMs() / WINDOW_MS);
      bytes += written;
      while (windows.length <= window) windows.push(0);
      windows[window] += written;
      // Who was held up makes up for it.
      const aheadMs = (bytes / Number(rate)) * 1000 - elapsedMs();
      if (aheadMs > 2) await pause(aheadMs);
    }
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  const bytesPerSecond = windows.slice(0, -1).map(each => (each * 1000) / WINDOW_MS);
  return { bytes, seconds: elapsedMs() / 1000, bytesPerSecond };
}
