import { mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { backup, surveyBackup } from '#engine/operations.ts';
import { openRepository } from '#engine/repository.ts';
import type { BackupRequest } from '#engine/snapshot/backup.ts';
import { emptyStorage, repositoryFor, request } from './backup-scene.ts';

const CACHE_TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n';

t.test('a dry run counts what a backup would find, and stores nothing', async t => {
  const root = t.testdir({
    '.gitignore': '*.o\n',
    '.kopiaignore': '*.kopia\n',
    'a.o': 'o',
    'a.kopia': 'k',
    'a.iso': 'iso',
    big: 'x'.repeat(5000),
    cache: { 'CACHEDIR.TAG': CACHE_TAG, thing: '1' },
    tmp: { many: '1' },
    deep: { one: '1111', two: { three: '333' } },
    same: 'same',
  });
  symlinkSync('same', `${root}/link`);
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  const more: Partial<BackupRequest> = {
    exclude: ['*.iso', 'tmp'],
    ignoreFileNames: ['.gitignore'],
    fileBytesMax: 4000,
  };
  const asked = request(root, more);
  const blobs = async () => (await Array.fromAsync(storage.list(''))).map(({ id }) => id);
  const before = await blobs();
  const first = await surveyBackup(repository, asked);
  t.strictSame(await blobs(), before);
  t.match(first, {
    parentIds: [],
    files: {
      new: { files: 5, bytes: 4 + 3 + 4 + 5 + 7 },
      changed: { files: 0, bytes: 0 },
      unchanged: { files: 0, bytes: 0 },
    },
    links: 1,
    directories: 4,
    excluded: [
      { by: 'command line', files: 1, directories: 1 },
      { by: 'ignore file', files: 2, directories: 0 },
      { by: 'cache directory', files: 0, directories: 1 },
      { by: 'too large', files: 1, bytes: 5000 },
    ],
    unreadableCount: 0,
    bytesToUploadMax: 23,
  });

  const { files, directories, snapshotId } = await backup(repository, asked);
  t.equal(files, first.files.new.files);
  t.equal(directories, first.directories);
  writeFileSync(`${root}/deep/one`, 'other');
  writeFileSync(`${root}/new`, 'n');
  t.match(await surveyBackup(repository, asked), {
    parentIds: [snapshotId],
    files: {
      new: { files: 1, bytes: 1 },
      changed: { files: 1, bytes: 5 },
      unchanged: { files: 4, bytes: 19 },
    },
    bytesToUploadMax: 6,
  });
});

t.test('a dry run needs no right to write', async t => {
  const storage = await emptyStorage();
  const settings = { storage, password: 'p', threads: 1, isReadOnly: true };
  await using repository = await openRepository(settings);
  const root = t.testdir({ file: 'x' });
  const outcome = await surveyBackup(repository, request(root));
  t.match(outcome, { files: { new: { files: 1, bytes: 1 } }, directories: 1 });
  await t.rejects(surveyBackup(repository, request(`${root}/no`)), { code: 'SOURCE_NOT_FOUND' });
  await t.rejects(backup(repository, request(root)), { code: 'REPOSITORY_WRITE_UNSUPPORTED' });
});

t.test('what could not be read is named', async t => {
  const root = t.testdir({ bad: { file: 'x' }, good: { file: 'x' } });
  // Its rules cannot be known, so the directory cannot be stored.
  symlinkSync('nowhere', `${root}/bad/.kopiaignore`);
  const outcome = await surveyBackup(await repositoryFor(t), request(root));
  t.match(outcome, { files: { new: { files: 1 } }, unreadableCount: 1 });
  t.match(outcome.unreadable, [{ path: `${root}/bad`, code: 'SOURCE_UNREADABLE' }]);
});

t.test('a single file is new, changed or unchanged', async t => {
  const path = `${t.testdir({ file: 'text' })}/file`;
  const repository = await repositoryFor(t);
  t.match(await surveyBackup(repository, request(path)), {
    files: { new: { files: 1, bytes: 4 } },
  });
  // Until it is not so young any more that it is read again.
  while ((await backup(repository, request(path))).bytesRead > 0);
  t.match(await surveyBackup(repository, request(path)), { files: { unchanged: { files: 1 } } });
  utimesSync(path, 1, 1);
  t.match(await surveyBackup(repository, request(path)), { files: { changed: { files: 1 } } });
});

t.test('a wide and deep tree is walked by several threads, and an abort ends it', async t => {
  const root = `${t.testdir({})}/tree`;
  for (let index = 0; index < 200; index++) {
    const directory = `${root}/${index % 7}/${index % 13}/${index}`;
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${directory}/file`, 'x');
  }
  const repository = await repositoryFor(t, { threads: 3 });
  const outcome = await surveyBackup(repository, request(root));
  const stored = await backup(repository, request(root));
  t.equal(outcome.files.new.files, stored.files);
  t.equal(outcome.directories, stored.directories);
  const controller = new AbortController();
  const surveying = surveyBackup(repository, request(root), { signal: controller.signal });
  controller.abort();
  await t.rejects(surveying, { code: 'ABORTED' });
});

t.test('a change that size and time do not show is one, as in a backup', async t => {
  const root = t.testdir({ file: 'text', other: 'same' });
  const repository = await repositoryFor(t);
  const asked = request(root);
  // Until nothing is so young any more that it is read again.
  while ((await backup(repository, asked)).bytesRead > 0);
  const { mtime } = statSync(`${root}/file`);
  writeFileSync(`${root}/file`, 'TEXT');
  utimesSync(`${root}/file`, mtime, mtime);
  t.match(await surveyBackup(repository, asked), {
    files: { changed: { files: 1, bytes: 4 }, unchanged: { files: 1, bytes: 4 } },
  });
  t.match(await surveyBackup(repository, { ...asked, forceHash: true }), {
    files: { changed: { files: 2 } },
  });
});
