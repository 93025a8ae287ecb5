import { writeFileSync } from 'node:fs';
import t from 'tap';
import { backup } from '#engine/operations.ts';
import type { BackupRequest } from '#engine/snapshot/backup.ts';
import { readFile } from '#engine/snapshot/stored-path.ts';
import {
  makeTree,
  MiB,
  random,
  repositoryFor,
  request,
  type RepositoryOptions,
} from './backup-scene.ts';

t.test('threads, native code and compression change nothing about what is stored', async t => {
  const root = makeTree(t);
  const ids = { repository: new Set<string>(), fastcdc: new Set<string>() };
  const variants: readonly (RepositoryOptions & Pick<BackupRequest, 'chunker' | 'compression'>)[] =
    [
      { chunker: 'repository', threads: 1, compression: 'auto' },
      { chunker: 'repository', threads: 2, compression: 'none', isNativeAllowed: false },
      { chunker: 'repository', threads: 4, compression: 'zstd:3' },
      { chunker: 'fastcdc', threads: 1, compression: 'none', isNativeAllowed: false },
      { chunker: 'fastcdc', threads: 4, compression: 'auto' },
    ];
  for (const { chunker = 'auto', compression, ...options } of variants) {
    // A repository of its own each time, with the same keys.
    const repository = await repositoryFor(t, options);
    const outcome = await backup(repository, request(root, { chunker, compression }));
    t.match(outcome, { files: 6, directories: 5, skipped: [] });
    if (chunker !== 'auto') ids[chunker].add(outcome.rootObjectId);
    await repository.close();
  }
  t.equal(ids.repository.size, 1);
  t.equal(ids.fastcdc.size, 1);
  t.not([...ids.repository][0], [...ids.fastcdc][0], 'other cuts, other objects');
});

t.test('a large file that several threads read is whole', async t => {
  const root = t.testdir({});
  const bytes = random.bytes(12 * MiB + 1);
  writeFileSync(`${root}/large`, bytes);
  const repository = await repositoryFor(t, { threads: 4 });
  const { snapshotId, files } = await backup(repository, request(root));
  t.equal(files, 1);
  const read = await Array.fromAsync(readFile(repository, `${snapshotId}:/large`));
  t.ok(Buffer.concat(read).equals(bytes));
});
