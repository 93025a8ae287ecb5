// Restores through the cache, as the engine does them.

import { mkdirSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Cache } from '#engine/cache/cache.ts';
import { kindOfBlob } from '#engine/cache/blob-kinds.ts';
import { backup, createRepository, openRepository, restore } from '#engine/index.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { GetOptions } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { loopFileSystem } from '#test/support/loop-file-system.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { type ListedEntry, treeListing } from '#test/support/tree-listing.ts';
import { MIB, scratchCache } from './scratch-cache.ts';
import { makeSource } from './trace-replay.ts';

const PASSWORD = 'restore';
const OWNER = { user: 'restore', host: 'restore' };
const SOURCE_MIB = 16;

const seed = newSeed();
const directory = fastDirectory(t);
mkdirSync(`${directory}/source`);
makeSource(`${directory}/source`, new SeededRandom(seed), SOURCE_MIB);
const memory = new MemoryStorage();
let fetched = 0;
let targets = 0;
/** Told of each read of the storage. */
let onGet = (): void => undefined;
const storage = wrap(memory, {
  get: async (id: string, options: GetOptions = {}) => {
    onGet();
    const bytes = await memory.get(id, options);
    if (kindOfBlob(id) !== undefined) fetched += bytes.length;
    return bytes;
  },
});
await createRepository({ storage, password: PASSWORD, owner: OWNER });
{
  await using repository = await openRepository({ storage, password: PASSWORD, threads: 1 });
  await backup(repository, { path: `${directory}/source` });
}

/** Restores once; gives what was fetched for it. */
async function restoreOnce(cache: Cache | undefined): Promise<number> {
  const before = fetched;
  const request = { storage, password: PASSWORD, threads: 2, cache };
  await using repository = await openRepository(request);
  const target = `${directory}/target-${targets++}`;
  const outcome = await restore(repository, { snapshot: 'latest', target });
  if (outcome.differences.length > 0) throw new Error('the restored tree differs');
  return fetched - before;
}

let readsPlain = 0;
onGet = () => void readsPlain++;
const plain = await restoreOnce(undefined);
onGet = () => undefined;
const sourceTree = await treeListing(`${directory}/source`);
t.comment(`STEVEDORE_TEST_SEED=${seed}, ${plain} bytes without a cache`);

t.test('a restore fetches each byte once at most', async t => {
  const { cache } = await scratchCache(t, { absoluteBytes: 4 * MIB });
  const share = (await restoreOnce(cache)) / plain;
  t.comment(`${share.toFixed(4)} of what is fetched without a cache`);
  t.ok(share <= 1);
});

t.test('the second replica of a StatefulSet fetches less than a twentieth', async t => {
  const { cache } = await scratchCache(t, { absoluteBytes: 64 * MIB });
  await restoreOnce(cache);
  const share = (await restoreOnce(cache)) / plain;
  t.comment(`${share.toFixed(4)} of what the first one fetched`);
  t.ok(share < 0.05);
});

t.test('three restores side by side fetch each byte once when it fits', async t => {
  const { cache } = await scratchCache(t, { absoluteBytes: 64 * MIB });
  const before = fetched;
  await Promise.all([restoreOnce(cache), restoreOnce(cache), restoreOnce(cache)]);
  const share = (fetched - before) / plain;
  t.comment(`${share.toFixed(3)} of one without a cache`);
  t.ok(share < 1.02);
});

t.test('in a cache of a quarter of it restores side by side end well', async t => {
  const { cache } = await scratchCache(t, { absoluteBytes: (SOURCE_MIB / 4) * MIB });
  const before = fetched;
  await Promise.all([restoreOnce(cache), restoreOnce(cache)]);
  t.comment(`${((fetched - before) / plain).toFixed(3)} of one without a cache`);
  t.ok(cache.plans.isEmpty, 'no plan is left behind');
  cache.ledger.check();
});

/** Restores while `fail` happens to the cache in the middle; gives the tree, all of its bytes. */
async function restoreFailing(t: Test, cache: Cache, fail: () => void): Promise<ListedEntry[]> {
  await restoreOnce(cache);
  t.ok((cache.volume?.table.count ?? 0) > 0, 'something was kept');
  let reads = 0;
  const failingRead = Math.ceil(readsPlain / 4);
  onGet = () => {
    if (++reads === failingRead) fail();
  };
  t.teardown(() => (onGet = () => undefined));
  await restoreOnce(cache);
  t.ok(reads > failingRead, 'it did fail in the middle');
  return treeListing(`${directory}/target-${targets - 1}`);
}

t.test('a restore whose cache is removed in the middle writes every byte', async t => {
  const location = fastDirectory(t);
  const { cache, events } = await scratchCache(t, { directory: location, absoluteBytes: 6 * MIB });
  const tree = await restoreFailing(t, cache, () => {
    rmSync(`${location}/stevedore-cache`, { recursive: true });
  });
  t.equal(cache.volume, undefined);
  t.match(events.at(-1), { kind: 'unavailable' });
  t.strictSame(tree, sourceTree);
});

t.test('a restore whose cache gets errors of the disk writes every byte', async t => {
  const found = loopFileSystem(t, { make: ['mkfs.ext4', '-q', '-m', '0'] });
  if ('reason' in found) return void t.pass(`skipped: ${found.reason}`);
  const { cache, events } = await scratchCache(t, {
    directory: found.mounted.path,
    absoluteBytes: 6 * MIB,
  });
  const tree = await restoreFailing(t, cache, () => found.mounted.shutDown());
  t.ok((cache.statistics.errors.EIO ?? 0) > 0, 'the disk did fail');
  t.equal(cache.volume, undefined);
  t.match(events.at(-1), { kind: 'unavailable' });
  t.strictSame(tree, sourceTree);
  await cache.close();
});
