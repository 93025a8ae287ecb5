// Real file systems in trouble. Where they cannot be mounted, the reason is printed and the rest of
// the suite has to do.

import { execFileSync, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { cpSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Clock } from '#engine/base/clock.ts';
import { Cache } from '#engine/cache/cache.ts';
import type { CacheEvent } from '#engine/cache/cache-settings.ts';
import type { Storage } from '#engine/storage/storage.ts';
import {
  type LoopFileSystem,
  type LoopOptions,
  loopFileSystem,
} from '#test/support/loop-file-system.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import {
  generatedStorage,
  MIB,
  packId,
  readPacks,
  scratchCache,
  through,
} from './scratch-cache.ts';

const EXT4: LoopOptions = { make: ['mkfs.ext4', '-q', '-m', '0'] };
const ROOMY = { totalBytes: 1e12, freeBytes: 1e12, totalInodes: 0, freeInodes: 0 };

function mounted(t: Test, options: LoopOptions): LoopFileSystem | undefined {
  const found = loopFileSystem(t, options);
  if ('mounted' in found) return found.mounted;
  t.comment(`skipped: ${found.reason}`);
  t.pass(found.reason);
  return undefined;
}

interface HeldClock extends Clock {
  advance(ms: number): void;
}

function heldClock(): HeldClock {
  let nowMs = 0;
  return {
    now: () => nowMs,
    nowNanoseconds: () => 0n,
    monotonic: () => nowMs,
    sleep: async () => undefined,
    advance: ms => {
      nowMs += ms;
    },
  };
}

t.test('on a disk that is full, whatever it said, reads go on', async t => {
  const fileSystem = mounted(t, EXT4);
  if (fileSystem === undefined) return;
  const { cache } = await scratchCache(
    t,
    { directory: fileSystem.path, absoluteBytes: 200 * MIB },
    { readDisk: async () => ROOMY },
  );
  await readPacks(t, through(cache, generatedStorage(MIB)), { to: 60 });
  t.ok((cache.statistics.errors.ENOSPC ?? 0) > 0, 'it did get full');
  t.ok(cache.volume, 'and the cache still is there');
  t.ok(cache.statistics.storedBytes > 10 * MIB);
  await cache.close();
});

t.test('within a quota, reads go on', async t => {
  const fileSystem = mounted(t, { make: ['mkfs.btrfs', '-q'], mib: 256 });
  if (fileSystem === undefined) return;
  const own = `${fileSystem.path}/own`;
  // Other kernels have no quotas of users; those of btrfs come with it.
  execFileSync('btrfs', ['quota', 'enable', fileSystem.path]);
  execFileSync('btrfs', ['subvolume', 'create', own], { stdio: 'ignore' });
  execFileSync('btrfs', ['qgroup', 'limit', '12m', own]);
  const program = fileURLToPath(new URL('quota-reader.ts', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [program, own], { encoding: 'utf8' });
  t.match(stdout, /^served 60, EDQUOT [1-9]/, stderr);
});

t.test('at a quota the cache stays as it is until the disk is looked at again', async t => {
  const { cache } = await scratchCache(t);
  const storage = through(cache, generatedStorage(MIB));
  await readPacks(t, storage, { to: 3 });
  await cache.settled();
  const { used } = cache.ledger;
  cache.diskFailed(Object.assign(new Error('no'), { code: 'EDQUOT' }));
  await readPacks(t, storage, { from: 3, to: 6 });
  await cache.settled();
  t.same(cache.ledger.used, used);
  t.same(cache.statistics.errors, { EDQUOT: 1 });
  await cache.look();
  await readPacks(t, storage, { from: 6, to: 8 });
  await cache.settled();
  t.ok(cache.ledger.used.bytes > used.bytes);
});

/** Reads one pack after the other; gives how many it took until there was no cache. */
async function readsUntilGone(t: Test, cache: Cache, storage: Storage): Promise<number> {
  for (let pack = 0; pack < 20; pack++) {
    await readPacks(t, storage, { from: pack, to: pack + 1 });
    if (cache.volume === undefined) return pack + 1;
  }
  return Number.POSITIVE_INFINITY;
}

t.test('at the third error of the disk the cache is gone, and reads go on', async t => {
  const fileSystem = mounted(t, EXT4);
  if (fileSystem === undefined) return;
  const { cache, events } = await scratchCache(t, { directory: fileSystem.path });
  const storage = through(cache, generatedStorage(MIB));
  await readPacks(t, storage, { to: 5 });
  await cache.settled();
  fileSystem.shutDown();
  const reads = await readsUntilGone(t, cache, storage);
  t.comment(`${reads} reads, ${JSON.stringify(cache.statistics.errors)}`);
  t.ok((cache.statistics.errors.EIO ?? 0) > 0, 'the disk did fail');
  t.ok(reads <= 3, `after ${reads} reads`);
  t.match(events.at(-1), { kind: 'unavailable' });
  await readPacks(t, storage, { to: 12 });
  await cache.close();
});

t.test('an entry that the disk cannot read is asked for once', async t => {
  const fileSystem = mounted(t, EXT4);
  if (fileSystem === undefined) return;
  const { cache } = await scratchCache(t, { directory: fileSystem.path });
  const inner = generatedStorage(MIB);
  const storage = through(cache, inner);
  await readPacks(t, storage, { to: 2 });
  await cache.settled();
  const entries = cache.volume?.table.count ?? 0;
  fileSystem.shutDown();
  const reading = { range: { offset: 0, length: 1000 } };
  await storage.get(packId(0), reading);
  t.equal(cache.volume?.table.count, entries - 1);
  t.equal(inner.gets, 3);
  await cache.close();
});

t.test('on a file system that became read-only the cache is gone within one operation', async t => {
  const fileSystem = mounted(t, { ...EXT4, mount: ['errors=remount-ro'] });
  if (fileSystem === undefined) return;
  const { cache, events } = await scratchCache(t, { directory: fileSystem.path });
  const storage = through(cache, generatedStorage(MIB));
  await readPacks(t, storage, { to: 3 });
  const [device] = execFileSync('findmnt', ['-no', 'SOURCE', fileSystem.path], { encoding: 'utf8' })
    .trim()
    .split('/')
    .slice(-1);
  writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, '1');
  await readPacks(t, storage, { from: 3, to: 4 });
  t.equal(cache.volume, undefined, JSON.stringify(cache.statistics.errors));
  t.match(events.at(-1), { kind: 'unavailable' });
  await readPacks(t, storage, { from: 4, to: 8 });
  await cache.close();
});

t.test('a directory that is deleted is gone with one operation, and made again', async t => {
  const directory = fastDirectory(t);
  const clock = heldClock();
  const { cache, events } = await scratchCache(t, { directory }, { clock });
  const storage = through(cache, generatedStorage(MIB));
  await readPacks(t, storage, { to: 5 });
  rmSync(`${directory}/stevedore-cache`, { recursive: true });
  t.equal(await readsUntilGone(t, cache, storage), 1);
  await readPacks(t, storage, { to: 8 });
  clock.advance(10_000);
  await cache.look();
  t.ok(cache.volume);
  await readPacks(t, storage, { to: 8 });
  t.same(
    events.map(({ kind }) => kind).filter(kind => kind !== 'limit'),
    ['attached', 'unavailable', 'attached'],
  );
});

t.test('a directory that is replaced by another one is gone with one operation', async t => {
  const directory = fastDirectory(t);
  const { cache, events } = await scratchCache(t, { directory });
  const inner = generatedStorage(MIB);
  const storage = through(cache, inner);
  await readPacks(t, storage, { to: 1 });
  renameSync(`${directory}/stevedore-cache`, `${directory}/elsewhere`);
  cpSync(`${directory}/elsewhere`, `${directory}/stevedore-cache`, { recursive: true });
  t.equal(await readsUntilGone(t, cache, storage), 1);
  t.equal(inner.gets, 2, 'nothing more is read of what is elsewhere');
  t.match(events.at(-1), { kind: 'unavailable', reason: /replaced/ });
});

t.test('a volume that is detached is gone with one operation, another one is used', async t => {
  const first = mounted(t, EXT4);
  if (first === undefined) return;
  const clock = heldClock();
  const { cache } = await scratchCache(t, { directory: first.path }, { clock });
  const storage = through(cache, generatedStorage(MIB));
  await readPacks(t, storage, { to: 5 });
  execFileSync('umount', ['-l', first.path]);
  t.equal(await readsUntilGone(t, cache, storage), 1);
  await readPacks(t, storage, { to: 8 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', first.path]);
  clock.advance(10_000);
  await cache.look();
  t.ok(cache.volume, cache.obstacle ?? 'there');
  t.ok((cache.limit?.bytes.amount ?? 0) <= 8 * MIB, 'with the limit of the new one');
  await readPacks(t, storage, { to: 12 });
  await cache.close();
});

for (const [name, options] of Object.entries({
  ext4: { make: ['mkfs.ext4', '-q', '-m', '0'], mib: 1 },
  'ext4 of 3 MiB': { make: ['mkfs.ext4', '-q', '-m', '0'], mib: 3 },
} satisfies Record<string, LoopOptions>)) {
  t.test(`on a volume of a few blocks (${name}) reads go on within what there is`, async t => {
    const fileSystem = mounted(t, options);
    if (fileSystem === undefined) return;
    const { cache } = await scratchCache(t, { directory: fileSystem.path });
    const storage = through(cache, generatedStorage(MIB));
    await readPacks(t, storage, { to: 5 });
    const small = { offset: 0, length: 50_000 };
    await storage.get(packId(9), { range: small });
    t.comment(`${cache.limit?.bytes.amount} bytes, ${cache.obstacle ?? 'used'}`);
    t.ok(cache.ledger.used.bytes <= Math.max(cache.limit?.bytes.amount ?? 0, 0));
    await cache.close();
  });
}

t.test('a volume that grows is used, one that shrinks is not overdrawn', async t => {
  const directory = fastDirectory(t);
  const clock = heldClock();
  let freeBytes = 4 * MIB;
  const readDisk = async () => ({ ...ROOMY, totalBytes: 100 * MIB, freeBytes });
  const { cache } = await scratchCache(
    t,
    { directory, absoluteBytes: 64 * MIB, marginBytes: 0, evictionLines: [] },
    { clock, readDisk },
  );
  const storage = through(cache, generatedStorage(MIB));
  await readPacks(t, storage, { to: 10 });
  t.ok(cache.ledger.used.bytes <= 4 * MIB);
  freeBytes = 50 * MIB;
  clock.advance(40_000);
  await cache.look();
  await readPacks(t, storage, { to: 30 });
  t.ok(cache.ledger.used.bytes > 20 * MIB);
  freeBytes = 0;
  const own = cache.volume?.segmentBytes() ?? 0;
  for (const left of [own * 0.5, own * 0.25, 0]) {
    freeBytes = left - (cache.volume?.segmentBytes() ?? 0);
    await cache.look();
    await cache.settled();
    t.ok((cache.volume?.segmentBytes() ?? 0) <= left, `${left} left`);
    await readPacks(t, storage, { to: 10 });
    t.ok((cache.volume?.segmentBytes() ?? 0) <= left, `${left} left, after reads`);
  }
});

for (const [name, options] of Object.entries({
  ext4: { ...EXT4, mib: 64 },
  // The least that there may be of it.
  xfs: { make: ['mkfs.xfs', '-q'], mib: 320 },
} satisfies Record<string, LoopOptions>)) {
  t.test(`a file system that grows while it is used (${name}) is used within a second`, async t => {
    const fileSystem = mounted(t, options);
    if (fileSystem === undefined) return;
    const { mib } = options;
    const limits = new EventEmitter();
    const onEvent = (event: CacheEvent): void => void limits.emit(event.kind, event);
    // The timer of the cache keeps nobody waiting, the deadline does.
    const nextLimit = async (): Promise<number> => {
      const deadline = setTimeout(() => limits.emit('error', new Error('too late')), 10_000);
      const [{ bytes }] = (await once(limits, 'limit')) as [{ bytes: number }];
      clearTimeout(deadline);
      return bytes;
    };
    const cache = await Cache.open({ directory: fileSystem.path, share: 1 }, { onEvent });
    t.teardown(() => cache.close());
    const storage = through(cache, generatedStorage(MIB));
    await readPacks(t, storage, { to: mib });
    // What a neighbour takes makes it shrink, after which it would not grow for half a minute.
    writeFileSync(`${fileSystem.path}/neighbour`, new Uint8Array(MIB));
    const before = await nextLimit();
    const reason = fileSystem.grow(mib * 2);
    if (reason !== undefined) return t.comment(`skipped: ${reason}`);
    const start = performance.now();
    const after = await nextLimit();
    t.comment(`${before} to ${after} bytes after ${Math.round(performance.now() - start)} ms`);
    t.ok(performance.now() - start < 1000);
    t.ok(after > before + (mib / 2) * MIB);
    await readPacks(t, storage, { from: 1000, to: 1000 + mib });
    await cache.settled();
    t.ok(cache.ledger.used.bytes > before + (mib / 4) * MIB, 'there are entries in what is new');
    t.ok(cache.ledger.used.bytes <= after);
    await cache.close();
  });
}

t.test('a neighbour who fills the disk takes all of it but the directory itself', async t => {
  const fileSystem = mounted(t, { ...EXT4, mib: 64 });
  if (fileSystem === undefined) return;
  const { cache } = await scratchCache(t, {
    directory: fileSystem.path,
    absoluteBytes: 40 * MIB,
    evictionLines: [{ signal: 'nodefs.available', threshold: { share: 0.1 } }],
  });
  const storage = through(cache, generatedStorage(MIB));
  await readPacks(t, storage, { to: 40 });
  t.ok((cache.volume?.segmentBytes() ?? 0) > 30 * MIB);
  let worst = 0;
  for (let file = 0; file < 30; file++) {
    try {
      writeFileSync(`${fileSystem.path}/neighbour-${file}`, new Uint8Array(2 * MIB));
    } catch {
      t.comment(`the neighbour has ${2 * file} MiB`);
      break;
    }
    await cache.look();
    await cache.settled();
    await readPacks(t, storage, { from: file, to: file + 3 });
    const { bsize, bavail, blocks } = statfsSync(fileSystem.path);
    const isBelowLine = bavail * bsize < blocks * bsize * 0.02;
    const own = cache.volume?.segmentBytes() ?? 0;
    if (isBelowLine && own > 0) worst = Math.max(worst, own);
    cache.ledger.check();
  }
  t.equal(worst, 0, 'nothing of ours while the disk is full');
  t.same(listed(cache).sort(), ['lock', 'notes']);
  await cache.close();
});

function listed(cache: Cache): string[] {
  return cache.volume ? readdirSync(cache.volume.directory) : [];
}
