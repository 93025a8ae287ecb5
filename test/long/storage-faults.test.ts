// Every operation that a backup asks of its storage fails once in every way that there is.

import t, { type Test } from 'tap';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { failNth, inFiles, inMemory, type Stage, WAYS } from '#test/faults/failing-backups.ts';
import { makeSmallRepository, type SmallRepository } from '#test/faults/small-repository.ts';

async function failAll(t: Test, small: SmallRepository, newStage: () => Promise<Stage>) {
  for (const way of WAYS) {
    let at = 0;
    for (let isFailed = true; isFailed;) {
      const stage = await newStage();
      isFailed = await failNth(t, small, stage, { at: ++at, way });
      stage.dispose();
    }
    t.ok(at > 12, `${at - 1} operations failed with ${way.code} ${way.when} they happened`);
  }
}

t.test('a failing memory storage fails the backup by name and harms nothing', async t => {
  const small = await makeSmallRepository(t.testdir());
  await failAll(t, small, () => inMemory(small));
});

t.test('a failing file storage fails the backup by name and harms nothing', async t => {
  const directory = `${fastDirectory(t)}/repository`;
  const storage = await openFilesystem(directory, { create: true });
  const small = await makeSmallRepository(t.testdir(), storage);
  await failAll(t, small, inFiles(directory));
});
