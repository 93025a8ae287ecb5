// Whether a neighbour who writes 500 MB/s meets the kubelet's line because of us. Needs root, loop
// devices, and 2 GiB of memory for the disk: one that is slower than the neighbour proves nothing.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import t from 'tap';
import { loopFileSystem, type LoopOptions } from '#test/support/loop-file-system.ts';
import { newSeed } from '#test/support/random.ts';
import { withNeighbour } from './cache-neighbour.ts';

t.setTimeout(0);
const FILLS = Number(process.env.STEVEDORE_NEIGHBOUR_FILLS ?? 6);
const MIB_ON_DISK = 2048;
const RATE_MIN = 500e6;
/** What it tries, so that a moment without a processor does not make it too slow. */
const RATE_TRIED = 600e6;
const FILE_SYSTEMS: Readonly<Record<string, LoopOptions>> = {
  ext4: { make: ['mkfs.ext4', '-q', '-m', '0'], mib: MIB_ON_DISK },
  xfs: { make: ['mkfs.xfs', '-q'], mib: MIB_ON_DISK },
};

for (const [name, options] of Object.entries(FILE_SYSTEMS)) {
  t.test(`on ${name}, the disk is not below the line because of the cache`, async t => {
    const found = loopFileSystem(t, options);
    if ('reason' in found) {
      t.pass(`skipped: ${found.reason}`);
      return;
    }
    const part = `${found.mounted.path}/part`;
    const directory = `${found.mounted.path}-part`;
    mkdirSync(part);
    mkdirSync(directory);
    if (spawnSync('mount', ['--bind', part, directory]).status !== 0) throw new Error('mount');
    const seed = newSeed();
    t.comment(`STEVEDORE_TEST_SEED=${seed}`);
    try {
      const outcome = await withNeighbour({
        directory,
        seed,
        bytesPerSecond: RATE_TRIED,
        bytesPerSecondMin: RATE_MIN,
        fills: FILLS,
      });
      const { bytesPerSecond, ...others } = outcome;
      const rates = bytesPerSecond.toSorted((a, b) => a - b);
      const [slowest, median] = [rates[0], rates[rates.length >> 1]];
      t.comment(JSON.stringify({ ...others, windows: rates.length, slowest, median }));
      t.equal(outcome.samplesAbove, 0, `${outcome.longestDelayMs} ms late`);
      t.ok(outcome.samples > FILLS * 100, 'it was looked at');
      t.ok(outcome.mostOwnBytes > 2 ** 29, 'the cache had something to lose');
      if (outcome.fastFills < FILLS) {
        const most = Math.round(outcome.fastestFill / 1e6);
        t.pass(`skipped: here the neighbour made ${most} MB/s at most, all of a fill taken`);
      } else t.ok(median >= RATE_MIN, 'it was as fast in most windows, too');
    } finally {
      spawnSync('umount', [directory]);
    }
  });
}
