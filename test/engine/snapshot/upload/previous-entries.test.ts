import t from 'tap';
import { encodeDirectory, encodeEntry, type DirEntry } from '#engine/format/directory.ts';
import { goNameText } from '#engine/format/go-name.ts';
import {
  directoryKey,
  KnownRecord,
  makeRecord,
  STATE,
  StampBuilder,
} from '#engine/snapshot/source/change-record.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { PreviousEntries } from '#engine/snapshot/upload/previous-entries.ts';
import { TotalsBuilder } from '#engine/snapshot/upload/part-totals.ts';

const entry: DirEntry = {
  name: 'a',
  type: 'f',
  mode: 0o4755,
  bytes: 7,
  mtimeSeconds: -5,
  mtimeNanoseconds: 123_456_789,
  uid: 1,
  gid: 2,
  objectId: 'aabb',
};
const same = {
  type: ENTRY_TYPE.file,
  permissions: 0o4755,
  size: 7,
  mtimeSeconds: -5,
  mtimeNanoseconds: 123_456_789,
  uid: 1,
  gid: 2,
  ctimeSeconds: 1_700_000_000,
  ctimeNanoseconds: 5,
  inodeLow: 77,
  inodeHigh: 1,
};
const rules = { forceHash: false, ignoreCtime: false, ignoreInode: false };
const statOf = (values: Partial<SourceStat> = {}) => Object.assign(new SourceStat(), same, values);
const summary = new TotalsBuilder().directorySummary({ mtimeSeconds: 0, mtimeNanoseconds: 0 });

function previousOf(texts: readonly string[], record?: Uint32Array): PreviousEntries {
  const previous = new PreviousEntries();
  const bytes = new Uint8Array(Buffer.from(encodeDirectory(texts, summary)));
  previous.begin({ objectId: 'k', bytes }, record);
  return previous;
}

function listingOf(names: readonly (string | Buffer)[], type: number = ENTRY_TYPE.file) {
  const listing = new SourceListing();
  for (const name of names) listing.add(Buffer.from(name), type);
  return listing;
}

const findAll = (previous: PreviousEntries, listing: SourceListing) =>
  Array.from({ length: listing.count }, (_, index) => previous.find(listing, index));

t.test('entries are found by name, whatever was added or removed', async t => {
  const texts = ['a', 'b', 'c', 'é', 'z'].map(name => encodeEntry({ ...entry, name }));
  const listing = listingOf(['a', 'a', 'aa', 'c', 'd', 'é', '\uff5e']);
  t.same(findAll(previousOf(texts), listing), [0, 0, -1, 2, -1, 3, -1]);
});

t.test('a file is not found where a directory was, and the other way round', async t => {
  const texts = [
    encodeEntry({ ...entry, type: 'd', name: 'a', objectId: 'k00' }),
    encodeEntry({ ...entry, name: 'b' }),
  ];
  t.same(findAll(previousOf(texts), listingOf(['a', 'b'])), [-1, 1]);
  t.same(findAll(previousOf(texts), listingOf(['a', 'b'], ENTRY_TYPE.directory)), [0, -1]);
});

t.test('names that are not UTF-8 are found by their bytes alone', async t => {
  const raw = Buffer.from([0x61, 0xff]);
  const extra = { stevedore: { name: raw.toString('base64') } };
  const texts = [
    encodeEntry({ ...entry, extra }, goNameText(raw)),
    encodeEntry({ ...entry, name: 'b' }),
  ];
  t.same(findAll(previousOf(texts), listingOf([raw, 'b'])), [0, 1]);
  t.same(findAll(previousOf(texts), listingOf(['a\ufffd', 'b'])), [-1, 1]);
  const byKopia = [encodeEntry(entry, goNameText(raw)), encodeEntry({ ...entry, name: 'b' })];
  t.same(findAll(previousOf(byKopia), listingOf([raw, 'a\ufffd', 'b'])), [-1, -1, 1]);
});

t.test(
  'entries that are not in order are found all the same, unless one is there twice',
  async t => {
    const texts = ['c', 'a', 'b', 'a'].map(name => encodeEntry({ ...entry, name }));
    t.same(findAll(previousOf(texts), listingOf(['a', 'b', 'c'])), [-1, 2, 0]);
  },
);

t.test('what cannot be understood is as good as nothing', async t => {
  const previous = new PreviousEntries();
  previous.begin({ objectId: 'k', bytes: Buffer.from('{"stream":"kopia:directory"') }, undefined);
  t.equal(previous.table.count, 0);
  t.equal(previous.find(listingOf(['a']), 0), -1);
});

t.test("kopia's rule is kept", async t => {
  const previous = previousOf([encodeEntry(entry)]);
  t.ok(previous.isUnchanged(0, statOf()));
  const changes: Partial<SourceStat>[] = [
    { type: ENTRY_TYPE.symlink },
    { permissions: 0o755 },
    { size: 8 },
    { mtimeSeconds: -4 },
    { mtimeNanoseconds: 123_456_788 },
    { uid: 0 },
    { gid: 0 },
  ];
  for (const change of changes) {
    t.notOk(previous.isUnchanged(0, statOf(change)), JSON.stringify(change));
  }
});

t.test('change time and inode say more, where they are known and to be believed', async t => {
  const stamps = new StampBuilder();
  stamps.add(statOf(), Number.MAX_SAFE_INTEGER);
  const record = makeRecord(directoryKey([]), new Uint32Array(4), [stamps.words()]);
  const known = previousOf([encodeEntry(entry)], record);
  const { same: isSame, changed, unknown } = STATE;
  const state = (values: Partial<SourceStat>, more: Partial<typeof rules> = {}) =>
    known.stateOf(0, statOf(values), { ...rules, ...more });
  t.equal(state({}), isSame);
  t.equal(state({ ctimeNanoseconds: 6 }), changed);
  t.equal(state({ ctimeSeconds: 1_700_000_000 + 2 ** 32 }), changed);
  t.equal(state({ inodeLow: 78 }), changed);
  t.equal(state({ inodeHigh: 0 }), changed);
  t.equal(state({ ctimeNanoseconds: 6 }, { ignoreCtime: true }), isSame);
  t.equal(state({ inodeLow: 78 }, { ignoreInode: true }), isSame);
  t.equal(state({}, { forceHash: true }), changed);
  t.equal(previousOf([encodeEntry(entry)]).stateOf(0, statOf(), rules), unknown);
  const two = [encodeEntry(entry), encodeEntry({ ...entry, name: 'b' })];
  t.equal(previousOf(two, record).stateOf(0, statOf(), rules), unknown, 'of another directory');
});

t.test(
  'attributes that are missing are looked at, and change time and inode still tell',
  async t => {
    const stateAfter = (values: Partial<SourceStat>, more: Partial<typeof rules> = {}) => {
      const stamps = new StampBuilder();
      stamps.add(statOf(), Number.MAX_SAFE_INTEGER);
      stamps.markLastToLookAgain();
      const digest = Uint32Array.of(1, 2, 3, 4);
      const record = makeRecord(directoryKey([]), new Uint32Array(4), [stamps.words()], digest);
      t.equal(new KnownRecord(record).digest, undefined);
      const known = previousOf([encodeEntry(entry)], record);
      return known.stateOf(0, statOf(values), { ...rules, ...more });
    };
    const { changed, unknown } = STATE;
    t.equal(stateAfter({}), unknown);
    t.equal(stateAfter({ ctimeNanoseconds: 6 }), changed);
    t.equal(stateAfter({ ctimeSeconds: 1_700_000_001 }), changed);
    t.equal(stateAfter({ ctimeSeconds: 1_700_000_000 + 2 ** 32 }), changed);
    t.equal(stateAfter({ inodeLow: 78 }), changed);
    t.equal(stateAfter({ inodeHigh: 0 }), changed);
    t.equal(stateAfter({ ctimeNanoseconds: 6 }, { ignoreCtime: true }), unknown);
    t.equal(stateAfter({ inodeLow: 78 }, { ignoreInode: true }), unknown);
  },
);

t.test('a stamp that says less says no more when attributes are missing', async t => {
  const seenMs = 1_700_000_000_000;
  const stateAfter = (values: Partial<SourceStat>) => {
    const stamps = new StampBuilder();
    stamps.add(statOf(values), seenMs);
    stamps.markLastToLookAgain();
    const record = makeRecord(directoryKey([]), new Uint32Array(4), [stamps.words()]);
    return previousOf([encodeEntry(entry)], record).stateOf(0, statOf(values), rules);
  };
  t.equal(stateAfter({}), STATE.changed, 'of a file that was too young');
  t.equal(stateAfter({ ctimeSeconds: -1 }), STATE.unknown);
  t.equal(
    stateAfter({ ctimeSeconds: 2 ** 33 }),
    STATE.unknown,
    'there is no room for the year 2242',
  );
});

t.test('a stamp of earlier versions says what it said, up to the year 2242', async t => {
  // The second word: nanoseconds times four, plus bits 32 and 33 of the seconds.
  const stateOf = (ctimeSeconds: number, bits: number) => {
    const stamp = Uint32Array.of(ctimeSeconds >>> 0, 5 * 4 + bits, 77, 1);
    const record = makeRecord(directoryKey([]), new Uint32Array(4), [stamp]);
    const known = previousOf([encodeEntry(entry)], record);
    return known.stateOf(0, statOf({ ctimeSeconds }), rules);
  };
  t.equal(stateOf(1_700_000_000, 0), STATE.same);
  t.equal(stateOf(2 ** 32 + 7, 1), STATE.same);
  t.equal(stateOf(2 ** 33 + 7, 2), STATE.changed, 'later the file is read');
  t.equal(stateOf(2 ** 33 + 2 ** 32 + 7, 3), STATE.changed);
});

t.test('a file whose change time is that of the look is read again', async t => {
  const seenMs = 1_700_000_000_000;
  const stateAfter = (values: Partial<SourceStat>) => {
    const stamps = new StampBuilder();
    stamps.add(statOf(values), seenMs);
    const record = makeRecord(directoryKey([]), new Uint32Array(4), [stamps.words()]);
    return previousOf([encodeEntry(entry)], record).stateOf(0, statOf(values), rules);
  };
  const before = (ms: number) => ({
    ctimeSeconds: 1_700_000_000 - 1,
    ctimeNanoseconds: (1000 - ms) * 1e6,
  });
  t.equal(stateAfter(before(1)), STATE.changed);
  t.equal(stateAfter(before(19)), STATE.changed);
  t.equal(stateAfter(before(25)), STATE.same);
  t.equal(stateAfter({ ctimeSeconds: 1_700_000_005 }), STATE.changed, 'a clock ahead of ours');
  const coarse = { ctimeSeconds: 1_700_000_000 - 1, ctimeNanoseconds: 0 };
  t.equal(stateAfter(coarse), STATE.changed, 'whole seconds may be all that there is');
  t.equal(stateAfter({ ...coarse, ctimeSeconds: 1_700_000_000 - 3 }), STATE.same);
  t.equal(stateAfter({ ctimeSeconds: -1 }), STATE.unknown);
});
