// A worker thread that dies, wherever it is: the backup ends with WORKER_DIED, closing does not
// hang, nothing is published and no file is left.

import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { OpenContents } from '#engine/content/open-contents.ts';
import { Repository } from '#engine/index.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { codeOf, endOf, temporaryFilesIn } from './failing-backups.ts';
import {
  backupTree,
  faultsOf,
  makeSmallRepository,
  openSmall,
  snapshotIds,
} from './small-repository.ts';

const directory = `${fastDirectory(t)}/repository`;
const storage = await openFilesystem(directory, { create: true });
const small = await makeSmallRepository(t.testdir(), storage);
// Read by several threads at once.
writeFileSync(`${small.changed}/large`, randomFillSync(new Uint8Array(4_000_000)));

for (const way of ['exit', 'throw', 'token', 'flush', 'index']) {
  t.test(`a thread that dies (${way}) ends the backup and nothing else`, async t => {
    const threadEntry = new URL('dying-worker.ts', import.meta.url);
    process.env.STEVEDORE_TEST_DEATH = way;
    const opened = await openFilesystem(directory);
    const options = { threadEntry, threads: 2 };
    const parts = await OpenContents.openWith<EngineTasks>(opened, small.format, options);
    {
      await using repository = new Repository(parts, opened);
      const ended = await endOf(backupTree(repository, small.changed));
      t.equal(codeOf(ended), 'WORKER_DIED');
      const again = await endOf(backupTree(repository, small.changed));
      t.equal(codeOf(again), 'WORKER_DIED', 'a pool that lost a thread stays lost');
    }
    t.strictSame(temporaryFilesIn(directory), [], 'no file is left');
    await using repository = await openSmall(storage, small.format, { isReadOnly: true });
    t.strictSame(await snapshotIds(repository), [small.snapshotId], 'nothing was published');
    t.strictSame(await faultsOf(repository), []);
  });
}

t.test('the next process goes on where the dead ones were', async t => {
  await using repository = await openSmall(storage, small.format);
  const { snapshotId } = await backupTree(repository, small.changed);
  t.strictSame(await snapshotIds(repository), [small.snapshotId, snapshotId]);
  t.strictSame(await faultsOf(repository), []);
});
