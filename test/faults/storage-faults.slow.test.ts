// A storage that fails while a backup writes: some of its operations, chosen by a seed. All of them
// in all ways fail in test/long/storage-faults.test.ts.

import t, { type Test } from 'tap';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { failNth, inFiles, inMemory, type Stage, WAYS } from './failing-backups.ts';
import { makeSmallRepository, type SmallRepository } from './small-repository.ts';

/** A backup of the small tree asks this much of its storage at least. */
const OPERATIONS = 13;
const ROUNDS = 2;

async function failSome(t: Test, small: SmallRepository, newStage: () => Promise<Stage>) {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const stage = await newStage();
    const at = 1 + random.below(OPERATIONS);
    const isFailed = await failNth(t, small, stage, { at, way: random.pick(WAYS) });
    t.ok(isFailed, `operation ${at} was there to fail`);
    stage.dispose();
  }
}

t.test('a failing memory storage fails the backup by name and harms nothing', async t => {
  const small = await makeSmallRepository(t.testdir());
  await failSome(t, small, () => inMemory(small));
});

t.test('a failing file storage fails the backup by name and harms nothing', async t => {
  const directory = `${fastDirectory(t)}/repository`;
  const storage = await openFilesystem(directory, { create: true });
  const small = await makeSmallRepository(t.testdir(), storage);
  await failSome(t, small, inFiles(directory));
});
