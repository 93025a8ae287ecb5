// The neighbour: waits a while, writes a file until the disk is full, and removes it after a
// moment. `cache-neighbour-writer.ts DIRECTORY SEED BYTES_A_SECOND`

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { systemCodeOf } from '#engine/base/errors.ts';
import { MIB } from '#test/engine/cache/scratch-cache.ts';
import { SeededRandom } from '#test/support/random.ts';

export interface Written {
  readonly bytes: number;
  readonly seconds: number;
}

const STEP_BYTES = MIB;
/** The cache fills meanwhile. */
const QUIET_MS_MIN = 2500;
const QUIET_MS = 2000;
const HOLD_MS = 300;
const [directory = '', seed, rate] = process.argv.slice(2);
process.on('disconnect', () => process.exit());

const random = new SeededRandom(Number(seed));
const step = random.bytes(STEP_BYTES);
const path = `${directory}/neighbour`;

await pause(QUIET_MS_MIN + random.below(QUIET_MS));
process.send?.(await fill());
await pause(HOLD_MS);
rmSync(path);
process.disconnect();

async function fill(): Promise<Written> {
  const file = openSync(path, 'w');
  const start = performance.now();
  let bytes = 0;
  try {
    for (;;) {
      bytes += writeSync(file, step);
      const aheadMs = (bytes / Number(rate)) * 1000 - (performance.now() - start);
      if (aheadMs > 2) await pause(aheadMs);
    }
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  return { bytes, seconds: (performance.now() - start) / 1000 };
}
