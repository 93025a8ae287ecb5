// A cache keeps what arrives. Where that is not what was stored it shows later, when it is opened,
// on any of several ways; the cache is to give it up then, and the storage to be asked once more.

import fs from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { backup, listSnapshots, restore } from '#engine/operations.ts';
import type { Repository } from '#engine/repository.ts';
import type { Storage } from '#engine/storage/storage.ts';
import {
  emptyStorage,
  large,
  makeTree,
  repositoryFor,
  request,
} from '#test/engine/snapshot/backup-scene.ts';
import { garbling, type GarblingStorage } from './garbling-storage.ts';
import { scratchCache, through } from './scratch-cache.ts';

const tree = makeTree(t);
const stored = (async () => {
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  const { snapshotId } = await backup(repository, request(tree));
  return { storage, snapshotId };
})();

interface Scene {
  readonly inner: GarblingStorage;
  /** The same storage behind a cache that is empty at first. */
  readonly storage: Storage;
  readonly evictedBytes: { readonly damage: number };
  readonly open: () => Promise<Repository>;
}

async function sceneOf(t: Test, storage?: Storage): Promise<Scene> {
  const inner = garbling(storage ?? (await stored).storage);
  const { cache } = await scratchCache(t);
  const cachedStorage = through(cache, inner);
  const open = () => repositoryFor(t, { storage: cachedStorage });
  const { evictedBytes } = cache.statistics;
  return { inner, storage: cachedStorage, evictedBytes, open };
}

t.test('an index blob that was garbled on its way is fetched once more', async t => {
  const { inner, evictedBytes, open } = await sceneOf(t);
  inner.garble('xn', 1);
  await open();
  t.equal(inner.left(), 0, 'it was garbled');
  t.ok(evictedBytes.damage > 0);
  const { length } = inner.got;
  await open();
  t.equal(inner.got.length, length, 'and is in the cache as it was stored');
});

t.test('one that is damaged in the storage is damage, until it is brought back', async t => {
  const { inner, open } = await sceneOf(t);
  inner.garble('xn', 1000);
  await t.rejects(open(), { code: 'INDEX_DAMAGED' });
  const counts = Object.groupBy(inner.got, id => id);
  const gets = Object.values(counts).map((each = []) => each.length);
  t.equal(Math.max(...gets), 2, 'asked for once more, not again and again');
  inner.garble('xn', 0);
  await t.resolves(open());
});

t.test('the same holds for manifests', async t => {
  const { inner, open } = await sceneOf(t);
  const repository = await open();
  inner.garble('q', 1);
  t.equal((await listSnapshots(repository)).length, 1);
  t.equal(inner.left(), 0);
});

for (const [what, bytesMin] of [
  ['here', 1],
  ['by a worker thread', 256 * 1024],
] as const) {
  t.test(`contents that are opened ${what} are read once more, by all who wait`, async t => {
    const { inner, open } = await sceneOf(t);
    const { contents } = await open();
    const data = [...contents.entries('')].filter(({ packId }) => packId.startsWith('p'));
    const found = data.find(({ packedBytes }) => packedBytes > bytesMin);
    if (found === undefined) throw new Error('no content is that long');
    inner.garble('p', 1);
    const reads = [1, 2, 3].map(() => contents.read(found.contentId));
    for (const bytes of await Promise.all(reads)) t.equal(bytes.length, found.originalBytes);
    t.equal(inner.left(), 0);
    const { length } = inner.got;
    await contents.read(found.contentId);
    t.equal(inner.got.length, length);
  });
}

t.test('a restore writes what was stored', async t => {
  const { inner, open } = await sceneOf(t);
  const { snapshotId: snapshot } = await stored;
  const repository = await open();
  const directory = t.testdir({});
  inner.garble('p', 1);
  const first = await restore(repository, { snapshot, target: join(directory, 'first') });
  t.match(first, { status: 'Completed', missingCount: 0, differences: [] });
  t.equal(inner.left(), 0);
  t.ok(fs.readFileSync(join(directory, 'first/large')).equals(large));
  // What else came of that pack meanwhile was given up, too.
  await restore(repository, { snapshot, target: join(directory, 'second') });
  const { length } = inner.got;
  await restore(repository, { snapshot, target: join(directory, 'third') });
  t.ok(fs.readFileSync(join(directory, 'third/large')).equals(large));
  t.equal(inner.got.length, length, 'the cache has all of it');
});

t.test('of a pack that is damaged in the storage a restore says so', async t => {
  const { inner, open } = await sceneOf(t);
  const { snapshotId: snapshot } = await stored;
  const repository = await open();
  const directory = t.testdir({});
  const contentCount = [...repository.contents.entries('')].length;
  inner.garble('p', 1000);
  const from = inner.got.length;
  const damaged = restore(repository, { snapshot, target: join(directory, 'damaged') });
  await t.rejects(damaged, { code: 'CONTENT_DAMAGED' });
  const gets = inner.got.slice(from).filter(id => id.startsWith('p')).length;
  t.ok(gets <= 4 * contentCount, `${gets} gets for ${contentCount} contents`);
  inner.garble('p', 0);
  const again = await restore(repository, { snapshot, target: join(directory, 'cured') });
  t.equal(again.missingCount, 0, 'and is whole once the pack is');
});

t.test('a backup does without a garbled directory, and the next one has it', async t => {
  const storage = await emptyStorage();
  await backup(await repositoryFor(t, { storage }), request(tree));
  const { inner, open } = await sceneOf(t, storage);
  const repository = await open();
  await listSnapshots(repository);
  const backUp = async () => {
    // Else all is known to be as it was without a look at the directory, which stays the same.
    fs.chmodSync(join(tree, 'text'), 0o4751);
    return await backup(repository, request(tree));
  };
  // What is opened here is read once more; the third is opened by a worker thread.
  inner.garble('q', 3);
  t.ok((await backUp()).bytesRead > large.length, 'files are read again');
  t.equal(inner.left(), 0);
  t.ok((await backUp()).bytesRead < large.length, 'files are taken over');
});
