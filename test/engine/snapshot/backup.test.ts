import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { backup, resolveSnapshot, restore } from '#engine/operations.ts';
import { emptyStorage, makeTree, repositoryFor, request } from './backup-scene.ts';

t.test('what is restored is what was backed up', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const { snapshotId } = await backup(repository, request(root));
  const target = `${t.testdirName}/restored`;
  const outcome = await restore(repository, { snapshot: snapshotId, target });
  t.strictSame(outcome.differences, []);
  const again = await backup(repository, request(target, { parent: 'none' }));
  const first = await backup(repository, request(root, { parent: 'none' }));
  t.equal(again.rootObjectId, first.rootObjectId);
});

t.test('the stages of a backup and of a restore are told, each as it begins', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const told: string[] = [];
  const onStage = (stage: string) => void told.push(stage);
  const beforePublish = async () => void told.push('all is uploaded');
  const { snapshotId } = await backup(repository, request(root), { onStage, beforePublish });
  t.strictSame(told.splice(0), ['plan', 'upload', 'all is uploaded', 'publish']);
  const target = `${t.testdirName}/restored`;
  await restore(repository, { snapshot: snapshotId, target, verify: true }, { onStage });
  t.strictSame(told, ['plan', 'restore', 'verify']);
});

t.test('a second backup of the same tree reads and stores nothing', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const first = await backup(repository, request(root));
  const second = await backup(repository, request(root));
  t.equal(second.rootObjectId, first.rootObjectId);
  t.not(second.snapshotId, first.snapshotId);
  t.equal(second.contentsNew, 1, 'the manifest');
  t.match(first, { bytesRead: first.bytes, bytesTakenOver: 0 });
  t.equal(second.bytesRead, 0);
  t.ok(second.bytesTakenOver >= second.bytes, 'links count besides');
  t.ok(first.contentsNew > 20);
  const read = await backup(repository, request(root, { parent: 'none' }));
  t.equal(read.rootObjectId, first.rootObjectId);
  t.equal(read.contentsNew, 1);
  t.ok(read.contentsReused > 20);
});

t.test('a change deep below stores what has changed and no more', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const first = await backup(repository, request(root));
  writeFileSync(`${root}/sub/deep/er/leaf`, 'changed');
  const second = await backup(repository, request(root));
  t.not(second.rootObjectId, first.rootObjectId);
  t.equal(second.contentsNew, 7, 'the file, four directories, the manifest, what is known');
  rmSync(`${root}/sub/deep/er/leaf`);
  const third = await backup(repository, request(root));
  t.equal(third.files, 5);
});

t.test('the root entry has the name that is asked for', async t => {
  const repository = await repositoryFor(t);
  const { snapshotId } = await backup(repository, request(makeTree(t), { rootName: 'a-uid' }));
  const { rootEntry } = await resolveSnapshot(repository, snapshotId);
  t.match(rootEntry, { name: 'a-uid', type: 'd' });
});

t.test('a file can be the root of a snapshot', async t => {
  const root = t.testdir({ file: 'the only one' });
  const repository = await repositoryFor(t);
  const first = await backup(repository, request(`${root}/file`));
  t.match(first, { files: 1, directories: 0, bytes: 12, skipped: [] });
  // Until it is not so young any more that it is read again.
  while ((await backup(repository, request(`${root}/file`))).bytesRead > 0);
  const second = await backup(repository, request(`${root}/file`));
  t.match(second, { rootObjectId: first.rootObjectId, contentsNew: 1, bytesTakenOver: 12 });
});

t.test(
  'a file that cannot be read is named, and the rest is stored',
  { skip: process.getuid?.() === 0 && 'root reads everything' },
  async t => {
    const root = makeTree(t);
    chmodSync(`${root}/sub/twin`, 0);
    const outcome = await backup(await repositoryFor(t), request(root));
    t.match(outcome.skipped, [{ path: `${root}/sub/twin`, code: 'SOURCE_UNREADABLE' }]);
    t.equal(outcome.files, 5);
  },
);

t.test('a source that is not there is refused before anything is written', async t => {
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  const count = async () => (await Array.fromAsync(storage.list(''))).length;
  const before = await count();
  const nowhere = `${t.testdir({})}/nowhere`;
  await t.rejects(backup(repository, request(nowhere)), { code: 'SOURCE_NOT_FOUND' });
  await t.rejects(backup(repository, request('/dev/null')), { code: 'SOURCE_UNREADABLE' });
  const parent = 'ffffffffffffffffffffffffffffffff';
  await t.rejects(backup(repository, request(t.testdirName, { parent })), {
    code: 'SNAPSHOT_NOT_FOUND',
  });
  t.equal(await count(), before);
});
