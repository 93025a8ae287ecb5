// What lies in the directory of a cache, or beside it, and is not of this cache.

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { describeCache } from '#engine/cache/describe-cache.ts';
import { isLocal, siblingCaches, tendSiblings } from '#engine/cache/sibling-caches.ts';
import type { CacheEvent } from '#engine/cache/cache-settings.ts';
import type { CacheLocation } from '#engine/cache/location.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { generatedStorage, MIB, readPacks, scratchCache, through } from './scratch-cache.ts';

const NOBODY = 65_534;
const NODE_DISK: CacheLocation = {
  kind: 'node disk',
  fileSystem: 'ext4',
  mountPoint: '/',
  isReadOnly: false,
};

/** A cache of `node` with something in it, that nobody has open. */
async function leftBehind(t: Test, directory: string, node?: string): Promise<void> {
  const { cache } = await scratchCache(t, { directory, node });
  await readPacks(t, through(cache, generatedStorage(MIB)), { to: 3 });
  await cache.close();
}

/** Root may look everywhere, so root becomes somebody else meanwhile, who has the directory. */
async function asNobody<Value>(directory: string, work: () => Promise<Value>): Promise<Value> {
  if (process.geteuid?.() !== 0) return work();
  for (const name of ['', ...readdirSync(directory)]) chownSync(`${directory}/${name}`, NOBODY, 0);
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

async function tended(
  directory: string,
  { node, location = NODE_DISK }: { node?: string; location?: CacheLocation },
): Promise<CacheEvent[]> {
  const events: CacheEvent[] = [];
  await tendSiblings({ location: directory, node }, location, event => events.push(event));
  return events;
}

t.test('files of others in the directory are charged, kept, and told of', async t => {
  const directory = fastDirectory(t);
  const outside = fastDirectory(t);
  writeFileSync(`${outside}/large`, Buffer.alloc(8 * MIB, 1));
  const own = `${directory}/stevedore-cache`;
  mkdirSync(`${own}/more/below`, { recursive: true });
  writeFileSync(`${own}/notes.old`, Buffer.alloc(2 * MIB, 1));
  writeFileSync(`${own}/more/below/file`, Buffer.alloc(MIB, 1));
  symlinkSync(outside, `${own}/link`);
  const { cache, events } = await scratchCache(t, { directory, absoluteBytes: 6 * MIB });
  const told = events.find(({ kind }) => kind === 'foreign files');
  const bytes = told?.kind === 'foreign files' ? told.bytes : 0;
  t.ok(bytes >= 3 * MIB && bytes < 4 * MIB, `${bytes} bytes; no link is followed`);
  t.ok(cache.ledger.used.bytes >= bytes);
  await readPacks(t, through(cache, generatedStorage(MIB)), { to: 10 });
  await cache.settled();
  t.ok(cache.ledger.used.bytes <= 6 * MIB);
  t.ok((cache.volume?.segmentBytes() ?? 0) <= 6 * MIB - bytes, 'they are within the limit');
  t.ok((cache.volume?.segmentBytes() ?? 0) > 0);
  const info = await describeCache({ directory }, { names: [], mountInfo: '' });
  t.equal(info?.foreignBytes, bytes);
  t.equal(info?.usedBytes, cache.ledger.used.bytes);
  await cache.close();
  t.equal(cache.ledger.used.bytes, 0);
  t.ok(['notes.old', 'more', 'link'].every(name => readdirSync(own).includes(name)));
  t.equal(statSync(`${outside}/large`).size, 8 * MIB);
});

t.test('what bears the name of a segment and is none is removed, unless it cannot be', async t => {
  const directory = fastDirectory(t);
  const own = `${directory}/stevedore-cache`;
  mkdirSync(`${own}/segment-00001`, { recursive: true });
  writeFileSync(`${own}/segment-00002`, 'no segment');
  writeFileSync(`${own}/segment-00001/file`, Buffer.alloc(MIB, 1));
  const { cache, events } = await scratchCache(t, { directory });
  t.match(
    events.find(({ kind }) => kind === 'foreign files'),
    { directory: own },
  );
  t.same(readdirSync(own).sort(), ['lock', 'notes', 'segment-00001']);
  t.ok(cache.ledger.used.bytes > MIB);
});

t.test('a cache of an earlier name of the node is removed from its disk', async t => {
  const directory = fastDirectory(t);
  await leftBehind(t, directory, 'earlier');
  await leftBehind(t, directory);
  const events = await tended(directory, { node: 'now' });
  t.match(events, [
    { kind: 'sibling', directory: `${directory}/stevedore-cache`, isRemoved: true },
    { kind: 'sibling', directory: `${directory}/stevedore-cache-earlier`, isRemoved: true },
  ]);
  t.same(readdirSync(directory), []);
});

t.test('on a volume, and for whoever has no name, such a cache is only told of', async t => {
  const directory = fastDirectory(t);
  await leftBehind(t, directory, 'earlier');
  const stays = [{ kind: 'sibling', isRemoved: false }];
  t.match(await tended(directory, {}), stays);
  t.match(
    await tended(directory, { node: 'now', location: { ...NODE_DISK, kind: 'volume' } }),
    stays,
  );
  t.ok(existsSync(`${directory}/stevedore-cache-earlier/segment-00000`));
});

t.test(
  'where several nodes may share the location caches of others are as they should be',
  async t => {
    const directory = fastDirectory(t);
    await leftBehind(t, directory, 'another');
    for (const fileSystem of ['nfs4', 'ceph', 'fuse.glusterfs', '9p', 'overlay']) {
      const location = { ...NODE_DISK, fileSystem };
      t.notOk(isLocal(location), fileSystem);
      t.same(await tended(directory, { node: 'now', location }), []);
    }
    t.notOk(isLocal(undefined));
    t.ok(existsSync(`${directory}/stevedore-cache-another/segment-00000`));
  },
);

t.test('a cache that somebody has open stays, and is seen', async t => {
  const directory = fastDirectory(t);
  const { cache } = await scratchCache(t, { directory, node: 'other' });
  await readPacks(t, through(cache, generatedStorage(MIB)), { to: 3 });
  t.same(await tended(directory, { node: 'now' }), []);
  const found = await siblingCaches({ location: directory, node: 'now' });
  t.match(found, [{ directory: `${directory}/stevedore-cache-other`, isHeld: true }]);
  t.ok((found[0]?.bytes ?? 0) > 3 * MIB);
  t.ok(cache.volumeInPlace());
});

t.test('of a cache beside ours nothing goes but what caches make', async t => {
  const directory = fastDirectory(t);
  const outside = fastDirectory(t);
  await leftBehind(t, directory, 'two');
  renameSync(`${directory}/stevedore-cache-two`, `${outside}/two`);
  await leftBehind(t, directory, 'one');
  symlinkSync(`${outside}/two`, `${directory}/stevedore-cache-two`);
  mkdirSync(`${directory}/stevedore-cache-three`);
  writeFileSync(`${directory}/stevedore-cache-three/file`, 'theirs');
  writeFileSync(`${directory}/stevedore-cache-one/precious`, 'theirs');
  const before = readdirSync(`${outside}/two`);
  t.match(await tended(directory, { node: 'now' }), [
    { directory: /-one$/, isRemoved: false },
    { directory: /-three$/, isRemoved: false },
  ]);
  t.same(readdirSync(`${outside}/two`), before, 'no link is followed');
  t.equal(readFileSync(`${directory}/stevedore-cache-one/precious`, 'utf8'), 'theirs');
  t.equal(readFileSync(`${directory}/stevedore-cache-three/file`, 'utf8'), 'theirs');
});

t.test('a location that cannot be listed costs our own cache nothing', async t => {
  const directory = fastDirectory(t);
  mkdirSync(`${directory}/stevedore-cache-now`);
  const { cache, events } = await asNobody(directory, async () => {
    chmodSync(directory, 0o300);
    const scratch = await scratchCache(t, { directory, node: 'now' });
    await scratch.cache.recovered();
    return scratch;
  });
  if (cache.location && !isLocal(cache.location)) return t.comment('no local file system here');
  t.match(
    events.find(({ kind }) => kind === 'siblings unknown'),
    { directory, reason: /EACCES/ },
  );
  await readPacks(t, through(cache, generatedStorage(MIB)), { to: 3 });
  await cache.settled();
  t.equal(cache.obstacle, undefined);
  t.same(cache.statistics.errors, {}, 'none of them is of its own disk');
  t.ok((cache.volume?.table.count ?? 0) >= 3);
});

t.test('one cache in the location that cannot be looked at does not hide another', async t => {
  const directory = fastDirectory(t);
  for (const node of ['one', 'two', 'three']) mkdirSync(`${directory}/stevedore-cache-${node}`);
  const events: CacheEvent[] = [];
  const tell = (event: CacheEvent): void => {
    events.push(event);
    chmodSync(directory, events.length === 1 ? 0o600 : 0o700);
  };
  const request = { location: directory, node: undefined };
  await asNobody(directory, () => tendSiblings(request, NODE_DISK, tell));
  t.match(events, [
    { kind: 'sibling', directory: `${directory}/stevedore-cache-one` },
    { kind: 'siblings unknown', directory: /-three$/, reason: /EACCES/ },
    { kind: 'sibling', directory: `${directory}/stevedore-cache-two` },
  ]);
});
