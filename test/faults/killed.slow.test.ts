// kill -9 at some steps of a commit, chosen by a seed; test/long/killed.test.ts takes all of them.

import t from 'tap';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { survivesKill } from './killing-backups.ts';
import { makeSmallRepository } from './small-repository.ts';

/** From the first index listing of the commit on: before, nothing but packs is written. */
const STEPS = { first: 17, count: 10 };

t.test('a backup that is killed leaves a repository that works', async t => {
  const directory = `${fastDirectory(t)}/repository`;
  const storage = await openFilesystem(directory, { create: true });
  const small = await makeSmallRepository(t.testdir(), storage);
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  for (const hasCheckpoints of [false, true]) {
    const step = STEPS.first + random.below(STEPS.count);
    const isThere = await survivesKill(t, directory, small, { step, hasCheckpoints });
    t.ok(isThere, `step ${step} is there`);
  }
});
