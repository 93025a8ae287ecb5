// Directories that are taken over by what is known beside the snapshot alone.

import { statSync, unlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { backup } from '#engine/operations.ts';
import type { MemoryStorage } from '#engine/storage/memory.ts';
import { emptyStorage, repositoryFor, request } from './backup-scene.ts';
import { LEAF_CHANGES, makeLeaves, settle } from './leaves-scene.ts';

const LEAVES = 12;

/** The directory objects of the snapshot that are fetched meanwhile, by ranges of packs. */
function countFetches(storage: MemoryStorage): () => number {
  const get = storage.get.bind(storage);
  let count = 0;
  storage.get = async (id, options) => {
    if (id.startsWith('q')) count += 1;
    return await get(id, options);
  };
  return () => count;
}

async function scene(t: Test) {
  const root = makeLeaves(t, LEAVES);
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  const before = await settle(repository, root);
  return { root, storage, repository, before };
}

t.test('neither fetched nor opened are directories in which nothing has changed', async t => {
  const { root, storage, repository, before } = await scene(t);
  const fetches = countFetches(storage);
  const again = await backup(repository, request(root));
  const ofAll = fetches();
  t.equal(again.rootObjectId, before.rootObjectId);
  t.match(again, { files: 5 * LEAVES, directories: LEAVES + 1, bytesRead: 0, bytes: 5 * LEAVES });
  writeFileSync(`${root}/leaf3/f3`, 'new');
  writeFileSync(`${root}/leaf5/f3`, 'new');
  await backup(repository, request(root));
  t.ok(fetches() - ofAll > ofAll, 'of the others they are');
});

t.test('every change is seen', async t => {
  const { root, repository, before } = await scene(t);
  let last = before.rootObjectId;
  for (const [name, change] of Object.entries(LEAF_CHANGES)) {
    const leaf = `${root}/leaf${Object.keys(LEAF_CHANGES).indexOf(name) % LEAVES}`;
    if (!statSync(leaf).isDirectory()) throw new Error(`${leaf} was used up`);
    change(leaf);
    const outcome = await backup(repository, request(root));
    const { rootObjectId } = await backup(repository, request(root, { forceHash: true }));
    t.equal(outcome.rootObjectId, rootObjectId, name);
    t.not(rootObjectId, last, name);
    last = rootObjectId;
  }
});

t.test('what is left out now is left out, though nothing has changed', async t => {
  const { root, repository, before } = await scene(t);
  const asked = await backup(repository, request(root, { exclude: ['f1'] }));
  t.equal(asked.files, before.files - LEAVES);
  const again = await backup(repository, request(root, { exclude: ['f1'] }));
  t.equal(again.rootObjectId, asked.rootObjectId);
  const restored = await backup(repository, request(root));
  t.equal(restored.rootObjectId, before.rootObjectId, 'and back when it is wanted again');
  writeFileSync(`${root}/leaf2/.kopiaignore`, 'f1\n');
  const less = await backup(repository, request(root));
  t.equal(less.files, before.files, 'one more and one less');
  unlinkSync(`${root}/leaf2/.kopiaignore`);
  const whole = await settle(repository, root);
  t.equal(whole.files, before.files);
  writeFileSync(`${root}/.kopiaignore`, '/leaf2/f1\n');
  const below = await backup(repository, request(root));
  t.equal(below.files, before.files, 'a rule of a directory above');
});
