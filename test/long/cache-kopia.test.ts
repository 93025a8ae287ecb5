// Our cache beside kopia's with the settings that Velero gives it, in the same restores and under
// the same limit. Needs root, loop devices, a kopia and versitygw.

import t from 'tap';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { findServer, startServer } from '#test/servers/start.ts';
import { findKopia } from '#test/support/kopia.ts';
import { loopFileSystem } from '#test/support/loop-file-system.ts';
import { newSeed } from '#test/support/random.ts';
import { compareWithKopia } from './cache-kopia.ts';

t.setTimeout(0);
const EXT4 = ['mkfs.ext4', '-q', '-m', '0'];

t.test('beside kopia under the same limit, ours is never above it', async t => {
  const reason = findKopia().reason || findServer('versitygw').reason;
  const made = reason ? { reason } : loopFileSystem(t, { make: EXT4, mib: 1536 });
  if ('reason' in made) {
    t.pass(`skipped: ${made.reason}`);
    return;
  }
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const server = await startServer('versitygw');
  t.teardown(() => server.stop());
  const place = { disk: made.mounted.path, scratch: fastDirectory(t), server };
  for (const use of await compareWithKopia(place, seed)) {
    t.comment(JSON.stringify(use));
    t.ok(use.samples > 100 && use.highestMib > 50, 'it was looked at, and a cache was used');
    if (!use.name.startsWith('ours')) continue;
    t.equal(use.samplesAbove, 0, use.name);
  }
});
