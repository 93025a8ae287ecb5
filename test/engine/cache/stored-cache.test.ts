// A cache directory seen from outside.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import t, { type Test } from 'tap';
import { repositoryKey } from '#engine/cache/blob-key.ts';
import { cacheInfo, clearCache } from '#engine/index.ts';
import { describeCache } from '#engine/cache/describe-cache.ts';
import { distanceToLine } from '#engine/cache/limit.ts';
import { clearStoredCache } from '#engine/cache/stored-cache.ts';
import { storageNameOf } from '#engine/storage/storage-url.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { generatedStorage, indexId, MIB, packId, scratchCache, through } from './scratch-cache.ts';

const ADDRESSES = ['s3://bucket/a/', 's3://bucket/b/'];
const LENGTH = 10_000;

/** Two packs and an index of each repository; still open. */
async function filled(t: Test) {
  const directory = fastDirectory(t);
  const { cache } = await scratchCache(t, { directory });
  for (const name of ADDRESSES) {
    const storage = through(cache, generatedStorage(LENGTH), { identity: name, name });
    const range = { offset: 0, length: LENGTH };
    await storage.get(packId(1), { range });
    await storage.get(packId(2), { range });
    await storage.get(indexId(1));
    await storage.close();
  }
  return { directory, cache };
}

const describe = (directory: string) =>
  describeCache(
    { directory, absoluteBytes: 16 * MIB },
    { names: [ADDRESSES[0] ?? ''], mountInfo: '' },
  );

t.test('what is in a cache can be seen while a process has it open', async t => {
  const { directory, cache } = await filled(t);
  const info = await describe(directory);
  t.match(info, {
    isHeld: true,
    total: { entries: 6, bytes: 6 * LENGTH },
    kinds: { data: { entries: 4 }, metadata: { entries: 0 }, index: { entries: 2 } },
  });
  t.equal(info?.usedBytes, cache.ledger.used.bytes, 'as the ledger has it');
  t.equal(info?.usedInodes, cache.ledger.used.inodes);
  t.strictSame(info?.limit.bytes, { amount: 16 * MIB, reason: 'absolute' });
  t.strictSame(info?.repositories.map(({ name, entries }) => [name ?? 'unnamed', entries]).sort(), [
    ['s3://bucket/a/', 3],
    ['unnamed', 3],
  ]);
  await cache.close();
  t.match(await describe(directory), { isHeld: false, total: { entries: 6 } });
});

t.test('looking at a directory makes nothing there', async t => {
  const directory = fastDirectory(t);
  t.equal(await describe(directory), undefined);
  t.strictSame(await clearStoredCache({ location: directory, node: undefined }, undefined), {
    isFound: false,
    entries: 0,
    bytes: 0,
  });
  t.strictSame(readdirSync(directory), []);
});

t.test('a cache that a process has open is not cleared', async t => {
  const { directory } = await filled(t);
  await t.rejects(clearCache({ directory }), {
    code: 'CACHE_IN_USE',
    message: /end that process.*its pod is deleted/,
  });
  t.match(await describe(directory), { total: { entries: 6 } });
});

t.test('of one repository everything goes, and nothing of another', async t => {
  const { directory, cache } = await filled(t);
  await cache.close();
  const cleared = await clearCache({ directory }, 's3://bucket/b?region=eu-1');
  t.strictSame(cleared, { isFound: true, entries: 3, bytes: 3 * LENGTH });
  const { cache: next } = await scratchCache(t, { directory });
  await next.recovered();
  t.equal(next.volume?.table.count, 3);
  const inner = generatedStorage(LENGTH);
  const [first = ''] = ADDRESSES;
  const storage = through(next, inner, { identity: first, name: first });
  await storage.get(packId(1), { range: { offset: 0, length: LENGTH } });
  t.equal(inner.gets, 0);
});

t.test('a cache that was cleared has no segments and can be used', async t => {
  const { directory, cache } = await filled(t);
  await cache.close();
  t.strictSame(await clearCache({ directory }), {
    isFound: true,
    entries: 6,
    bytes: 6 * LENGTH,
  });
  t.strictSame(readdirSync(`${directory}/stevedore-cache`), ['lock']);
  const { cache: next } = await scratchCache(t, { directory });
  t.ok(next.volume);
});

t.test('what only the running cache knew is shown as it was noted', async t => {
  const { directory, cache } = await filled(t);
  const [first = ''] = ADDRESSES;
  const again = through(cache, generatedStorage(LENGTH), { identity: first, name: first });
  await again.get(packId(1), { range: { offset: 0, length: LENGTH } });
  await cache.change({ absoluteBytes: 8 * MIB });
  const accounts = cache.volume?.accounts;
  accounts?.markDeleted(accounts.indexOf(repositoryKey(ADDRESSES[1] ?? '')));
  await cache.close();
  const info = await describe(directory);
  t.match(info?.noted, {
    at: /^20\d\d-.*Z$/,
    limit: { amount: 8 * MIB, reason: 'absolute' },
    reservedBytes: 0,
    pinnedBytes: 0,
    hits: 1,
    hitBytes: LENGTH,
    misses: 6,
    hitRatio: 1 / 7,
  });
  t.match(info?.orphaned, { entries: 3, bytes: 3 * LENGTH });
  t.same(info?.repositories.map(({ name, isOrphan }) => [name, isOrphan]).sort(), [
    [ADDRESSES[0], false],
    [ADDRESSES[1], true],
  ]);
  t.ok(info?.repositories.every(({ unvisitedDays }) => (unvisitedDays ?? 1) < 0.1));
});

t.test('why the limit fell is known to the next life as well', async t => {
  const directory = fastDirectory(t);
  let freeBytes = 100 * MIB;
  const readDisk = async () => ({
    totalBytes: 200 * MIB,
    freeBytes,
    totalInodes: 0,
    freeInodes: 0,
  });
  const settings = { directory, absoluteBytes: 64 * MIB, marginBytes: 0 };
  const first = await scratchCache(t, settings, { readDisk });
  freeBytes = 10 * MIB;
  await first.cache.look();
  const { fromBytes, toBytes = 0 } = first.cache.lastShrink ?? {};
  t.equal(fromBytes, 64 * MIB);
  t.ok(toBytes <= 10 * MIB);
  await first.cache.close();
  const second = await scratchCache(t, settings, { readDisk });
  t.equal(second.cache.lastShrink, undefined);
  await second.cache.close();
  const info = await describe(directory);
  const expected = { fromBytes, toBytes, reason: 'file system' };
  t.match(info?.noted?.lastShrink, expected);
});

t.test('a cache without notes is described all the same', async t => {
  const { directory, cache } = await filled(t);
  await cache.close();
  rmSync(`${directory}/stevedore-cache/notes`);
  const info = await describe(directory);
  t.match(info, { noted: undefined, total: { entries: 6 }, orphaned: { entries: 0 } });
});

t.test('a directory that is not there is no cache that was cleared', async t => {
  const directory = `${fastDirectory(t)}/mistyped`;
  const missing = { code: 'CACHE_NOT_FOUND', message: /name the one/ };
  await t.rejects(clearCache({ directory }), missing);
  await t.rejects(clearCache({ directory }, 's3://bucket/a'), missing);
});

t.test('a relative directory is at the same location as its absolute path', async t => {
  const { directory } = await filled(t);
  const short = relative(process.cwd(), directory);
  const [one, other] = await Promise.all([
    cacheInfo({ directory }),
    cacheInfo({ directory: short }),
  ]);
  t.ok(one);
  t.equal(other?.location, one?.location);
});

t.test('what is no segment is passed over', async t => {
  const { directory, cache } = await filled(t);
  await cache.close();
  mkdirSync(`${directory}/stevedore-cache/segment-00900`);
  t.match(await describe(directory), { total: { entries: 6 } });
});

t.test('a storage can be named without opening it', async t => {
  t.equal(storageNameOf('s3://bucket/a/b?endpoint=https://h'), 's3://bucket/a/b/');
  t.equal(storageNameOf('s3://bucket'), 's3://bucket/');
  t.equal(storageNameOf('/dir'), 'file:///dir');
});

t.test('the nearest line counts', async t => {
  const space = { totalBytes: 1000, freeBytes: 300 };
  const lines = [
    { signal: 'nodefs.available', threshold: { share: 0.1 } },
    { signal: 'imagefs.available', threshold: { amount: 250 } },
    { signal: 'nodefs.inodesFree', threshold: { amount: 299 } },
  ] as const;
  t.equal(distanceToLine(lines, space), 50);
  t.equal(distanceToLine([], space), undefined);
});
