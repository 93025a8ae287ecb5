// Does everything to a cache that can be done to it, a thousand times, and looks at the disk from
// outside all the while: never may more be allocated than the limit. Needs root and loop devices.

import t from 'tap';
import { loopFileSystem, type LoopOptions } from '#test/support/loop-file-system.ts';
import { newSeed } from '#test/support/random.ts';
import { torture } from './cache-torture.ts';

t.setTimeout(0);
const RUNS = Number(process.env.STEVEDORE_TORTURE_RUNS ?? 500);
const FILE_SYSTEMS: Readonly<Record<string, LoopOptions>> = {
  ext4: { make: ['mkfs.ext4', '-q', '-m', '0'], mib: 96 },
  xfs: { make: ['mkfs.xfs', '-q'], mib: 320 },
};

for (const [name, options] of Object.entries(FILE_SYSTEMS)) {
  t.test(`on ${name}, no sample of the disk is above the limit`, async t => {
    const found = loopFileSystem(t, options);
    if ('reason' in found) {
      t.pass(`skipped: ${found.reason}`);
      return;
    }
    const seed = newSeed();
    t.comment(`STEVEDORE_TEST_SEED=${seed}`);
    const outcome = await torture(found.mounted.path, { seed, runs: RUNS });
    t.comment(JSON.stringify(outcome));
    t.equal(outcome.samplesAbove, 0, outcome.firstAbove);
    t.equal(outcome.wrongBytes, 0);
    t.equal(outcome.failedReads, 0);
    t.ok(outcome.samples > outcome.runs * 5, 'it was looked at');
    // A neighbour who fills so small a disk at once leaves no room for a cache most of the time.
    t.ok(outcome.hits > outcome.runs / 10 && outcome.kills > 0 && outcome.changes > 0);
    t.ok(outcome.highestShare > 0.7, 'the cache did fill up');
  });
}
