import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { repositoryIdentity } from '#engine/cache/blob-key.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { GetOptions, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { storageCompliance } from '#test/engine/storage/compliance.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import {
  counting,
  expectedBytes,
  generatedStorage,
  indexId,
  MIB,
  packId,
  scratchCache,
  through,
} from './scratch-cache.ts';

const PACK = 20 * MIB;
const shared = await scratchCache(t);
let opened = 0;
storageCompliance(t, 'cached around memory', async () =>
  through(shared.cache, new MemoryStorage(), { identity: `compliance ${opened++}` }),
);

t.test('what was read once is not fetched again', async t => {
  const { cache } = await scratchCache(t);
  const inner = generatedStorage(PACK);
  const storage = through(cache, inner);
  const range = { offset: 700_000, length: 3 * MIB + 5 };
  for (let round = 0; round < 3; round++) {
    sameBytes(
      t,
      await storage.get(packId(1), { range }),
      expectedBytes(packId(1), 700_000, 3 * MIB + 5),
    );
  }
  t.same([inner.gets, inner.bytes], [1, 3 * MIB + 5]);
  t.same(cache.statistics.missBytes, 3 * MIB + 5);
  t.same(cache.statistics.hitBytes, 2 * (3 * MIB + 5));
});

t.test('of a stretch that is there in part only the rest is fetched', async t => {
  const { cache } = await scratchCache(t);
  const inner = generatedStorage(PACK);
  const storage = through(cache, inner);
  await storage.get(packId(1), { range: { offset: 1000, length: 1000 } });
  await storage.get(packId(1), { range: { offset: 3000, length: 1000 } });
  inner.bytes = 0;
  const got = await storage.get(packId(1), { range: { offset: 0, length: 5000 } });
  sameBytes(t, got, expectedBytes(packId(1), 0, 5000));
  t.equal(inner.bytes, 3000);
});

t.test('readers of the same bytes at the same time share one fetch', async t => {
  const { cache } = await scratchCache(t);
  const inner = generatedStorage(PACK);
  const storage = through(cache, inner);
  const ranges = [
    { offset: 0, length: 4 * MIB },
    { offset: MIB, length: 2 * MIB },
    { offset: 3 * MIB, length: 2 * MIB },
    { offset: 0, length: 4 * MIB },
  ];
  const got = await Promise.all(ranges.map(range => storage.get(packId(1), { range })));
  for (const [index, { offset, length }] of ranges.entries()) {
    sameBytes(t, got[index], expectedBytes(packId(1), offset, length));
  }
  t.equal(inner.bytes, 5 * MIB, 'each byte once');
});

t.test('a reader whose fetch was somebody else’s cancelled one asks for itself', async t => {
  const { cache } = await scratchCache(t);
  const memory = generatedStorage(PACK);
  const controller = new AbortController();
  const inner = wrap(memory, {
    get: async (id: string, options: GetOptions = {}) => {
      if (!options.signal) return memory.get(id, options);
      return new Promise<Uint8Array>((_, reject) => {
        options.signal?.addEventListener('abort', () => reject(new Error('cancelled')));
      });
    },
  });
  const storage = through(cache, inner);
  const range = { offset: 0, length: MIB };
  const first = storage.get(packId(1), { range, signal: controller.signal });
  const second = storage.get(packId(1), { range });
  controller.abort();
  await t.rejects(first, { message: 'cancelled' });
  sameBytes(t, await second, expectedBytes(packId(1), 0, MIB));
});

t.test('what a reader gets is its own, however many share the fetch', async t => {
  const { cache } = await scratchCache(t);
  const storage = through(cache, generatedStorage(PACK));
  const range = { offset: 0, length: 2 * MIB };
  const got = await Promise.all([1, 2, 3].map(() => storage.get(packId(1), { range })));
  got[0].fill(0);
  structuredClone(got[1], { transfer: [got[1].buffer as ArrayBuffer] });
  sameBytes(t, got[2], expectedBytes(packId(1), 0, 2 * MIB));
  sameBytes(t, await storage.get(packId(1), { range }), expectedBytes(packId(1), 0, 2 * MIB));
});

t.test('an index blob is kept whole', async t => {
  const { cache } = await scratchCache(t);
  const inner = generatedStorage(5 * MIB + 77);
  const storage = through(cache, inner);
  for (let round = 0; round < 2; round++) {
    sameBytes(t, await storage.get(indexId(3)), expectedBytes(indexId(3), 0, 5 * MIB + 77));
  }
  t.equal(inner.gets, 1);
});

t.test('an index blob that is larger than the cache is served all the same', async t => {
  const { cache } = await scratchCache(t);
  const storage = through(cache, generatedStorage(PACK));
  sameBytes(t, await storage.get(indexId(1)), expectedBytes(indexId(1), 0, PACK));
  sameBytes(t, await storage.get(indexId(1)), expectedBytes(indexId(1), 0, PACK));
});

t.test('what is replaced in place is never kept', async t => {
  const { cache } = await scratchCache(t);
  const inner = counting(new MemoryStorage());
  const storage = through(cache, inner);
  for (const id of ['kopia.repository', 'kopia.maintenance', 'xe5', `s${'0'.repeat(32)}`]) {
    await storage.put(id, [new Uint8Array(100)]);
    await storage.get(id);
    await storage.get(id);
  }
  t.equal(inner.gets, 8);
});

t.test('a blob that is deleted or replaced is not served from the cache', async t => {
  const { cache } = await scratchCache(t);
  const storage = through(cache, new MemoryStorage());
  await storage.put(packId(1, 'q'), [new Uint8Array(100).fill(1)]);
  await storage.get(packId(1, 'q'), { range: { offset: 0, length: 100 } });
  await storage.put(packId(1, 'q'), [new Uint8Array(100).fill(2)]);
  const [second] = await storage.get(packId(1, 'q'), { range: { offset: 0, length: 100 } });
  t.equal(second, 2);
  await storage.delete(packId(1, 'q'));
  const third = storage.get(packId(1, 'q'), { range: { offset: 0, length: 100 } });
  await t.rejects(third, { code: 'STORAGE_BLOB_NOT_FOUND' });
  t.equal(cache.volume?.table.count, 0);
});

t.test('repositories never see each other’s blobs', async t => {
  const { cache } = await scratchCache(t);
  const storages = [1, 2].map(fill => {
    const inner = wrap(new MemoryStorage(), { get: async () => new Uint8Array(1000).fill(fill) });
    return through(cache, inner, { identity: `tenant ${fill}` });
  });
  for (let round = 0; round < 2; round++) {
    for (const [index, storage] of storages.entries()) {
      const [first] = await storage.get(packId(7), { range: { offset: 0, length: 1000 } });
      t.equal(first, index + 1);
    }
  }
});

t.test('a repository that is too small to keep data keeps its index', async t => {
  const { cache } = await scratchCache(t);
  const inner = generatedStorage(MIB);
  const storage = through(cache, inner, { keepsData: () => false });
  for (let round = 0; round < 2; round++) {
    await storage.get(packId(1), { range: { offset: 0, length: 1000 } });
    await storage.get(indexId(1));
  }
  t.equal(inner.gets, 3);
});

t.test('a second start finds what the first has left', async t => {
  const directory = fastDirectory(t);
  const inner = generatedStorage(PACK);
  const range = { offset: 12_345, length: 5 * MIB };
  const first = await scratchCache(t, { directory });
  const before = through(first.cache, inner);
  await before.get(packId(1), { range });
  // What a busy disk has not taken yet is on its way.
  await before.close();
  await first.cache.close();
  inner.gets = 0;
  const second = await scratchCache(t, { directory });
  await second.cache.recovered();
  const storage = through(second.cache, inner);
  sameBytes(t, await storage.get(packId(1), { range }), expectedBytes(packId(1), 12_345, 5 * MIB));
  t.equal(inner.gets, 0);
});

t.test('any mixture of reads gives the bytes of the storage within the limit', async t => {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const { cache } = await scratchCache(t, { absoluteBytes: 4 * MIB });
  const blobBytes = 3 * MIB;
  const storage = through(cache, generatedStorage(blobBytes));
  const reader = async (): Promise<void> => {
    for (let read = 0; read < 60; read++) {
      const id = packId(random.below(6), random.pick(['p', 'q'] as const));
      const offset = random.below(blobBytes - 1);
      const length = 1 + random.below(random.pick([100, 5000, 2 * MIB]));
      const range = { offset, length: Math.min(length, blobBytes - offset) };
      const got = await storage.get(id, { range });
      if (digest(got) !== digest(expectedBytes(id, offset, range.length))) {
        t.fail(`wrong bytes of ${id} at ${offset}`);
      }
      cache.ledger.check();
    }
  };
  await Promise.all(Array.from({ length: 8 }, reader));
  t.ok(cache.statistics.hitBytes > 0);
  t.ok(cache.statistics.evictedBytes.room > 0);
  t.equal(cache.statistics.evictedBytes.damage, 0);
  await storage.close();
});

t.test('a storage that fails fails as it would without a cache', async t => {
  const { cache } = await scratchCache(t);
  const storage: Storage = through(cache, new MemoryStorage());
  const missing = storage.get(packId(1), { range: { offset: 0, length: 10 } });
  await t.rejects(missing, { code: 'STORAGE_BLOB_NOT_FOUND' });
  await storage.put(packId(1), [new Uint8Array(5)]);
  const beyond = storage.get(packId(1), { range: { offset: 0, length: 10 } });
  await t.rejects(beyond, { code: 'STORAGE_RANGE_INVALID' });
});

/** Quicker than comparing them as lists. */
function sameBytes(t: Test, found: Uint8Array, expected: Uint8Array): void {
  t.equal(digest(found), digest(expected));
}

function digest(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}

t.test('an identity takes the master key, and not only what anybody can copy', async t => {
  const key = (fill: number) => new Uint8Array(32).fill(fill);
  const identity = repositoryIdentity(key(1), key(9));
  t.equal(repositoryIdentity(key(1), key(9)), identity);
  t.not(repositoryIdentity(key(2), key(9)), identity, 'another tenant, the unique id copied');
  t.not(repositoryIdentity(key(1), key(8)), identity, 'a copy that got an id of its own');
});

t.test('at the same address another repository opens nothing', async t => {
  const { cache } = await scratchCache(t);
  const inner = generatedStorage(MIB);
  const range = { offset: 0, length: 1000 };
  await through(cache, inner, { identity: 'first', name: 's3://b/' }).get(packId(1), { range });
  await through(cache, inner, { identity: 'second', name: 's3://b/' }).get(packId(1), { range });
  t.equal(inner.gets, 2);
  t.equal(cache.volume?.accounts.all().length, 1, 'and both are in one account');
});
