// kill -9 before and after each operation that a backup asks of its storage.

import t from 'tap';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { survivesKill } from '#test/faults/killing-backups.ts';
import { makeSmallRepository } from '#test/faults/small-repository.ts';

for (const hasCheckpoints of [false, true]) {
  const what = hasCheckpoints ? 'a backup with checkpoints' : 'a backup';
  t.test(`${what} that is killed at any step leaves a repository that works`, async t => {
    const directory = `${fastDirectory(t)}/repository`;
    const storage = await openFilesystem(directory, { create: true });
    const small = await makeSmallRepository(t.testdir(), storage);
    let step = 0;
    while (await survivesKill(t, directory, small, { step: ++step, hasCheckpoints }));
    t.ok(step > 25, `killed at ${step - 1} steps`);
  });
}
