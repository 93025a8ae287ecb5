// Does everything to a cache that can be done to it, a thousand times, and looks at the disk from
// outside all the while: never may more be allocated than the limit. Needs root and loop devices.

import t from 'tap';
import { loopFileSystem, type LoopOptions } from '#test/support/loop-file-system.ts';
import { newSeed } from '#test/support/random.ts';
import { torture } from './cache-torture.ts';

t.setTimeout(0);
const RUNS = Number(process.env.STEVEDORE_TORTURE_RUNS ?? 1000);
const RUNS_TYPICAL = 60;
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
    t.comment(`STEVEDORE_TEST_SEED=${seed}; each run has the next one`);
    const outcome = await torture(found.mounted.path, { seed, runs: RUNS });
    t.comment(JSON.stringify(outcome));
    for (const bad of outcome.badSeeds) {
      t.comment(`one alone: STEVEDORE_TORTURE_RUNS=1 STEVEDORE_TEST_SEED=${bad}`);
    }
    t.equal(outcome.samplesAbove, 0, outcome.firstAbove);
    t.equal(outcome.wrongBytes, 0);
    t.equal(outcome.failedReads, 0);
    t.ok(outcome.samples > outcome.runs * 5, 'it was looked at');
    // One run alone need not have had all of it.
    if (outcome.runs < RUNS_TYPICAL) return;
    // A neighbour who fills so small a disk at once leaves no room for a cache most of the time.
    t.ok(outcome.hits > outcome.runs / 10 && outcome.kills > 0 && outcome.changes > 0);
    t.ok(outcome.highestShare > 0.7, 'the cache did fill up');
  });
}
