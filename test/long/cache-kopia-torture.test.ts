// kopia's cache and ours under the same torture: the table of docs/cache.md is its output. Needs
// root, loop devices, a kopia and versitygw.

import t from 'tap';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { findServer, startServer } from '#test/servers/start.ts';
import { findKopia } from '#test/support/kopia.ts';
import { loopFileSystem } from '#test/support/loop-file-system.ts';
import { newSeed } from '#test/support/random.ts';
import { tortureBoth, type TorturedProgram } from './cache-kopia-torture.ts';

t.setTimeout(0);
const RUNS = Number(process.env.STEVEDORE_TORTURE_RUNS ?? 30);
const EXT4 = ['mkfs.ext4', '-q', '-m', '0'];

t.test('under the same torture, ours is never above the limit, whatever kopia is', async t => {
  const reason = findKopia().reason || findServer('versitygw').reason;
  const made = reason ? { reason } : loopFileSystem(t, { make: EXT4, mib: 128 });
  if ('reason' in made) {
    t.pass(`skipped: ${made.reason}`);
    return;
  }
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}; each run has the next one`);
  const server = await startServer('versitygw');
  t.teardown(() => server.stop());
  const place = { disk: made.mounted.path, scratch: fastDirectory(t), server };
  const programs = await tortureBoth(place, { seed, runs: RUNS });
  const columns = 'runs | killed | limits changed meanwhile | restores that failed';
  t.comment(`| | ${columns} | samples above | highest, of the limit | most above | longest |`);
  t.comment(`|${'---|'.repeat(9)}`);
  for (const program of programs) t.comment(rowOf(program));
  // All that is restored takes half of the highest limit, and by its seed a run may have no other.
  for (const { program, samples, highestShare } of programs) {
    const seen = `${program}: ${samples} samples, at most ${highestShare} of the limit`;
    t.ok(samples > RUNS * 5 && highestShare > 0.3, seen);
  }
  const ours = programs.find(({ program }) => program === 'ours');
  t.equal(ours?.samplesAbove, 0);
  t.equal(ours?.failedRestores, 0);
});

function rowOf(found: TorturedProgram): string {
  const cells = [
    found.program,
    found.runs,
    found.kills,
    found.limitChanges,
    found.failedRestores,
    `${found.samplesAbove} of ${found.samples}`,
    `${Math.round(found.highestShare * 100)} %`,
    `${found.mostAboveMib.toFixed(1)} MiB`,
    `${(found.longestAboveMs / 1000).toFixed(1)} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}
