import t from 'tap';
import { createHash } from '#engine/hash/hashes.ts';
import { EntriesDigest } from '#engine/snapshot/source/entries-digest.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';

interface Entry {
  readonly name: string;
  readonly stat?: Partial<SourceStat>;
}

const digest = new EntriesDigest(createHash('BLAKE2B-256-128', new Uint8Array(32)));

function digestOf(entries: readonly Entry[]): string {
  const listing = new SourceListing();
  digest.clear();
  for (const { name, stat } of entries) {
    const index = listing.add(Buffer.from(name), ENTRY_TYPE.file);
    digest.add(listing, index, Object.assign(new SourceStat(), BEFORE, stat));
  }
  return Buffer.from(new Uint8Array(digest.finish()?.buffer ?? new ArrayBuffer(0))).toString('hex');
}

const BEFORE: Partial<SourceStat> = {
  type: ENTRY_TYPE.file,
  permissions: 0o644,
  uid: 1,
  gid: 2,
  size: 2 ** 33 + 3,
  mtimeSeconds: -4,
  mtimeNanoseconds: 5,
  ctimeSeconds: 2 ** 33 + 6,
  ctimeNanoseconds: 7,
  inodeLow: 8,
  inodeHigh: 9,
};

t.test('a digest tells each thing that a backup compares', async t => {
  const whole = digestOf([{ name: 'a' }, { name: 'b' }]);
  t.equal(digestOf([{ name: 'a' }, { name: 'b' }]), whole);
  t.equal(whole.length, 32);
  const changes: Partial<SourceStat>[] = [
    { type: ENTRY_TYPE.symlink },
    { permissions: 0o600 },
    { uid: 0 },
    { gid: 0 },
    { size: 3 },
    { size: 2 ** 33 + 4 },
    { mtimeSeconds: 4 },
    { mtimeSeconds: -4 + 2 ** 32 },
    { mtimeEras: 1 },
    { mtimeNanoseconds: 6 },
    { ctimeSeconds: 6 },
    { ctimeNanoseconds: 8 },
    { inodeLow: 9 },
    { inodeHigh: 8 },
  ];
  const digests = changes.map(stat => digestOf([{ name: 'a' }, { name: 'b', stat }]));
  t.equal(new Set([whole, ...digests]).size, changes.length + 1);
});

t.test('names are told apart by all their bytes and where they end', async t => {
  const lists = [
    ['a', 'b'],
    ['b', 'a'],
    ['ab'],
    ['a'],
    ['aa'],
    ['aaaa'],
    ['aaaaa'],
    [],
    ['a', 'b', 'c'],
  ];
  const digests = lists.map(names => digestOf(names.map(name => ({ name }))));
  t.equal(new Set(digests).size, lists.length);
});

t.test('a long name that was there before leaves nothing behind', async t => {
  const short = digestOf([{ name: 'x' }]);
  digestOf([{ name: 'y'.repeat(255) }]);
  t.equal(digestOf([{ name: 'x' }]), short);
});

t.test('there is none of what it cannot speak for', async t => {
  digest.clear();
  digest.spoil();
  t.equal(digest.finish(), undefined);
  const crowd = Array.from({ length: 20_000 }, (_, i) => ({ name: `${i}`.padStart(100, 'n') }));
  t.equal(digestOf(crowd), '', 'a directory that is handed out in pages');
  t.not(digestOf(crowd.slice(0, 2000)), '', 'it grows as far as it needs to');
});
