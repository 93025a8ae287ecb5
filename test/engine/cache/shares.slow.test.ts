// What a repository may have of the cache: a floor, a ceiling, and whether its data is kept.

import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { totalOf } from '#engine/cache/accounts.ts';
import { repositoryKey } from '#engine/cache/blob-key.ts';
import { kindOfBlob } from '#engine/cache/blob-kinds.ts';
import { CacheRepository } from '#engine/cache/cache-repository.ts';
import type { Cache } from '#engine/cache/cache.ts';
import { cached } from '#engine/cache/cached.ts';
import { DataThreshold } from '#engine/data-threshold.ts';
import {
  backup,
  type CacheShare,
  createRepository,
  openRepository,
  restore,
} from '#engine/index.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { GetOptions, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import {
  generatedStorage,
  indexId,
  MIB,
  packId,
  readPacks,
  scratchCache,
  through,
} from './scratch-cache.ts';

function bytesOf(cache: Cache, name: string): readonly number[] {
  const { a, b } = repositoryKey(name);
  const account = cache.volume?.accounts.all().find(({ key }) => key.a === a && key.b === b);
  return account?.bytes ?? [];
}

/** A read hands its bytes on when they are long in being stored. */
async function untilStored(cache: Cache): Promise<void> {
  const isStoring = () => cache.volume?.accounts.all().some(({ storingBytes }) => storingBytes > 0);
  while (isStoring()) await pause(1);
}

const INDEX = 2;

async function readIndexes(storage: Storage, { from = 0, to }: { from?: number; to: number }) {
  for (let index = from; index < to; index++) await storage.get(indexId(index));
}

t.test('the data of one restore pushes out no index of another repository', async t => {
  const { cache } = await scratchCache(t, { absoluteBytes: 8 * MIB });
  const small = through(cache, generatedStorage(100_000), { identity: 'a', name: 'a' });
  await readIndexes(small, { to: 20 });
  const before = bytesOf(cache, 'a')[INDEX];
  t.equal(before, 20 * 100_000);
  const large = through(cache, generatedStorage(MIB), { identity: 'b', name: 'b' });
  await readPacks(t, large, { to: 20 });
  t.equal(bytesOf(cache, 'a')[INDEX], before);
});

t.test('with a floor not even the index of another repository does', async t => {
  for (const floorBytes of [0, 2 * MIB]) {
    const { cache } = await scratchCache(t, { absoluteBytes: 8 * MIB });
    const options = { identity: 'a', name: 'a', share: { floorBytes } };
    const small = through(cache, generatedStorage(100_000), options);
    await readIndexes(small, { to: 25 });
    const large = through(cache, generatedStorage(MIB), { identity: 'b', name: 'b' });
    await readIndexes(large, { to: 20 });
    const left = bytesOf(cache, 'a')[INDEX];
    const expected = floorBytes === 0 ? left < 2 * MIB : left >= floorBytes;
    t.ok(expected, `${left} bytes are left with a floor of ${floorBytes}`);
  }
});

t.test('a ceiling binds, however many store at once', async t => {
  const { cache } = await scratchCache(t, { absoluteBytes: 32 * MIB });
  const ceilingBytes = 5 * MIB;
  const options = { identity: 'a', name: 'a', share: { ceilingBytes } };
  const storage = through(cache, generatedStorage(MIB), options);
  let highest = 0;
  const reader = async (first: number): Promise<void> => {
    for (let pack = first; pack < first + 4; pack++) {
      await readPacks(t, storage, { from: pack, to: pack + 1 });
      highest = Math.max(highest, sum(bytesOf(cache, 'a')));
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, index) => reader(index * 4)));
  t.ok(highest <= ceilingBytes, `${highest} bytes at most`);
  for (let pack = 50; pack < 58; pack++) {
    await untilStored(cache);
    await readPacks(t, storage, { from: pack, to: pack + 1 });
  }
  await untilStored(cache);
  const last = sum(bytesOf(cache, 'a'));
  t.ok(last <= ceilingBytes && last > ceilingBytes - MIB, `${last} bytes, one after the other`);
  const other = through(cache, generatedStorage(MIB), { identity: 'b', name: 'b' });
  await readPacks(t, other, { to: 12 });
  await untilStored(cache);
  t.ok(sum(bytesOf(cache, 'b')) >= 11 * MIB, 'another has the room beside it');
  t.equal(
    cache.volume?.accounts.all().every(({ storingBytes }) => storingBytes === 0),
    true,
  );
});

t.test('what is larger than its ceiling pushes nothing out', async t => {
  const { cache } = await scratchCache(t);
  const options = { identity: 'a', name: 'a', share: { ceilingBytes: MIB / 2 } };
  const storage = through(cache, generatedStorage(MIB), options);
  await readPacks(t, storage, { to: 4, bytes: 100_000 });
  await readPacks(t, storage, { from: 10, to: 14, bytes: MIB });
  t.ok(sum(bytesOf(cache, 'a')) >= 4 * 100_000);
});

t.test('a share that cannot be is refused', async t => {
  const { cache } = await scratchCache(t);
  for (const share of [
    { floorBytes: 2, ceilingBytes: 1 },
    { floorBytes: -1 },
    { ceilingBytes: -1 },
    { dataBytesMin: Number.NaN },
  ]) {
    const open = () => new CacheRepository(cache, { identity: 'a', name: 'a', share });
    t.throws(open, { code: 'USAGE' }, JSON.stringify(share));
  }
});

t.test('of a restore that is too small no data is kept, of others it is', async t => {
  const { cache } = await scratchCache(t);
  const share = { dataBytesMin: 5 * MIB };
  const repository = new CacheRepository(cache, { identity: 'a', name: 'a', share });
  const inner = generatedStorage(MIB);
  const storage = cached(inner, repository);
  const planOf = (to: number) =>
    repository.plan(
      Array.from({ length: to }, (_, pack) => ({ blobId: packId(pack), offset: 0, length: MIB })),
    );
  {
    using _small = planOf(4);
    await readPacks(t, storage, { to: 4 });
    await storage.get(indexId(1));
  }
  t.same(bytesOf(cache, 'a'), [0, 0, MIB], 'the index alone');
  {
    using _large = planOf(6);
    await readPacks(t, storage, { to: 6 });
  }
  t.same(bytesOf(cache, 'a'), [6 * MIB, 0, MIB]);
  t.ok(cache.plans.isEmpty);
});

t.test('the size of a repository is looked for no further than to the threshold', async t => {
  const table = (count: number) => {
    let looks = 0;
    const packedBytesAt = () => (looks++, 1000);
    return { table: { count, packedBytesAt }, looks: () => looks };
  };
  const { table: one, looks } = table(1_000_000);
  const threshold = new DataThreshold(50_000);
  t.ok(threshold.isReached({ view: { tables: [one] }, revision: 1 }));
  t.equal(looks(), 50);
  const low = new DataThreshold(50_000);
  const { table: few, looks: fewLooks } = table(10);
  for (let round = 0; round < 3; round++) {
    t.notOk(low.isReached({ view: { tables: [few] }, revision: 1 }));
  }
  t.equal(fewLooks(), 10, 'once for each state of the index');
  t.ok(low.isReached({ view: { tables: [few, one] }, revision: 2 }));
  t.ok(new DataThreshold(0).isReached({ view: { tables: [] }, revision: 0 }));
});

const OWNER = { user: 'share', host: 'share' };
const password = 'share';

const directory = fastDirectory(t);
mkdirSync(`${directory}/source`);
const content = Buffer.alloc(2 * MIB).map((_, at) => Math.imul(at, 0x9e37_79b1) >>> 24);
writeFileSync(`${directory}/source/file`, content);
const memory = new MemoryStorage();
const fetched = { data: 0, index: 0 };
const remote = wrap(memory, {
  get: async (id: string, options: GetOptions = {}) => {
    const bytes = await memory.get(id, options);
    if (kindOfBlob(id) === 0) fetched.data += bytes.length;
    if (kindOfBlob(id) === INDEX) fetched.index += bytes.length;
    return bytes;
  },
});
await createRepository({ storage: remote, password, owner: OWNER });
{
  await using repository = await openRepository({ storage: remote, password, threads: 1 });
  await backup(repository, { path: `${directory}/source`, compression: 'none' });
}
let targets = 0;

/** Restores from a repository in the storage through a cache of its own. */
async function restoring(t: Test, cacheShare: CacheShare) {
  const { cache } = await scratchCache(t);
  return async () => {
    Object.assign(fetched, { data: 0, index: 0 });
    const request = { storage: remote, password, threads: 1, cache, cacheShare };
    await using repository = await openRepository(request);
    await restore(repository, { snapshot: 'latest', target: `${directory}/${targets++}` });
    return { ...fetched, kept: sum(bytesOf(cache, remote.displayName)) };
  };
}

t.test('a repository below the threshold keeps index and metadata alone', async t => {
  const restoreAgain = await restoring(t, { dataBytesMin: 64 * MIB });
  const first = await restoreAgain();
  const second = await restoreAgain();
  t.ok(first.data > 0 && first.index > 0);
  t.equal(second.data, first.data);
  t.equal(second.index, 0);
});

t.test('one above it keeps everything', async t => {
  const restoreAgain = await restoring(t, { dataBytesMin: MIB / 2 });
  await restoreAgain();
  t.match(await restoreAgain(), { data: 0, index: 0 });
});

t.test('a ceiling reaches the cache from openRepository', async t => {
  const ceilingBytes = 100_000;
  const restoreAgain = await restoring(t, { ceilingBytes });
  const { kept, data } = await restoreAgain();
  t.ok(data > ceilingBytes);
  t.ok(kept > 0 && kept <= ceilingBytes, `${kept} bytes are kept`);
});

function sum(bytes: readonly number[]): number {
  return totalOf({ bytes: [...bytes] });
}
