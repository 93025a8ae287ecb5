import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { backup, restore } from '#engine/operations.ts';
import {
  emptyStorage,
  large,
  makeTree,
  MiB,
  repositoryFor,
  request,
  source,
} from './backup-scene.ts';

t.test('an abort in the middle publishes nothing, and the next backup is whole', async t => {
  const root = makeTree(t);
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  truncateSync(`${root}/zero`, 400 * MiB);
  const abort = new AbortController();
  const told = Promise.withResolvers<void>();
  const onProgress = () => {
    abort.abort();
    told.resolve();
  };
  // However fast it is, it is not over by then.
  const beforePublish = () => told.promise;
  const options = { signal: abort.signal, onProgress, beforePublish };
  const running = backup(repository, request(root), options);
  await t.rejects(running, { code: 'ABORTED' });
  t.strictSame(await repository.manifests.find({ type: 'snapshot' }), []);
  await t.rejects(backup(repository, request(root), { signal: AbortSignal.abort() }), {
    code: 'ABORTED',
  });
  truncateSync(`${root}/zero`, 0);
  const outcome = await backup(repository, request(root));
  const fresh = await repositoryFor(t, { storage });
  const target = `${t.testdirName}/restored`;
  const restored = await restore(fresh, { snapshot: outcome.snapshotId, target });
  t.strictSame(restored.differences, []);
});

t.test('what has something against it before it is published is not published', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const beforePublish = () => Promise.reject(new Error('no'));
  await t.rejects(backup(repository, request(root), { beforePublish }), { message: 'no' });
  t.strictSame(await repository.manifests.find({ type: 'snapshot' }), []);
  let asked = 0;
  const options = { beforePublish: async () => void (asked += 1) };
  await backup(repository, request(root), options);
  t.equal(asked, 1);
  t.equal((await repository.manifests.find({ type: 'snapshot' })).length, 1);
});

t.test('two backups at the same time in one repository object are both whole', async t => {
  const root = makeTree(t);
  const other = `${t.testdirName}/other`;
  mkdirSync(other);
  for (let index = 0; index < 300; index++) writeFileSync(`${other}/f${index}`, `${index}`);
  writeFileSync(`${other}/same`, large);
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  const outcomes = await Promise.all([
    backup(repository, request(root)),
    backup(repository, request(other, { source: { ...source, path: '/other' } })),
    backup(repository, request(root, { source: { ...source, path: '/third' } })),
  ]);
  t.equal(outcomes[2].rootObjectId, outcomes[0].rootObjectId);
  for (const { bytesRead, bytes } of outcomes) t.equal(bytesRead, bytes, 'each counts its own');
  const fresh = await repositoryFor(t, { storage });
  for (const [index, { snapshotId }] of outcomes.entries()) {
    const target = `${t.testdirName}/restored${index}`;
    t.strictSame((await restore(fresh, { snapshot: snapshotId, target })).differences, []);
  }
});

t.test('aborting one of two backups leaves the other alone', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const abort = new AbortController();
  const doomed = `${t.testdirName}/doomed`;
  mkdirSync(doomed);
  writeFileSync(`${doomed}/huge`, '');
  truncateSync(`${doomed}/huge`, 400 * MiB);
  const told = Promise.withResolvers<void>();
  const onProgress = () => {
    abort.abort();
    told.resolve();
  };
  // However fast it is, it is not over by then.
  const beforePublish = () => told.promise;
  const [aborted, outcome] = await Promise.allSettled([
    backup(repository, request(doomed), { signal: abort.signal, onProgress, beforePublish }),
    backup(repository, request(root)),
  ]);
  t.match(aborted, { status: 'rejected', reason: { code: 'ABORTED' } });
  t.equal(outcome.status, 'fulfilled');
});
