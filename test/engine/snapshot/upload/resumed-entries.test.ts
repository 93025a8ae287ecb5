import t from 'tap';
import { type DirEntry, encodeDirectory, encodeEntry } from '#engine/format/directory.ts';
import {
  directoryKey,
  makeRecord,
  STATE,
  StampBuilder,
} from '#engine/snapshot/source/change-record.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { TotalsBuilder } from '#engine/snapshot/upload/part-totals.ts';
import { PreviousEntries } from '#engine/snapshot/upload/previous-entries.ts';
import { childKey } from '#engine/snapshot/upload/resumed-entries.ts';

const file: DirEntry = {
  name: 'a',
  type: 'f',
  mode: 0o644,
  bytes: 7,
  mtimeSeconds: 5,
  mtimeNanoseconds: 6,
  uid: 1,
  gid: 2,
  objectId: 'aabb',
};
const rules = { forceHash: false, ignoreCtime: false, ignoreInode: false };
const stat = Object.assign(new SourceStat(), { ctimeSeconds: 1_700_000_000, inodeLow: 7 });
const summary = new TotalsBuilder().directorySummary({ mtimeSeconds: 0, mtimeNanoseconds: 0 });
const key = directoryKey([]);

function objectOf(objectId: string, entries: readonly Partial<DirEntry>[]) {
  const texts = entries.map(each => encodeEntry({ ...file, ...each }));
  return { objectId, bytes: new Uint8Array(Buffer.from(encodeDirectory(texts, summary))) };
}

/** A record in which everything is known, and as it is now. */
function recordOf(count: number): Uint32Array {
  const stamps = new StampBuilder();
  for (let index = 0; index < count; index++) stamps.add(stat, 1_800_000_000_000);
  return makeRecord(key, stamps.words().subarray(0, 4), [stamps.words()]);
}

/** Object and state of each name that is found. */
function lookUp(previous: PreviousEntries, names: readonly string[]) {
  const listing = new SourceListing();
  for (const name of names) listing.add(Buffer.from(name), ENTRY_TYPE.file);
  return names.map((_, index) => {
    const position = previous.find(listing, index);
    if (position === -1) return undefined;
    return [previous.table.objectIdAt(position), previous.stateOf(position, stat, rules)];
  });
}

t.test('the latest entry of a name counts, and only what is the same keeps its stamp', async t => {
  const parent = objectOf('k0', [{ name: 'a' }, { name: 'b' }, { name: 'd' }]);
  const first = objectOf('k1', [{ name: 'a' }, { name: 'b', objectId: 'b1' }, { name: 'c' }]);
  const second = objectOf('k2', [{ name: 'c', objectId: 'c2' }, { name: 'e' }]);
  const previous = new PreviousEntries();
  previous.begin(parent, recordOf(3), [first, second]);
  t.strictSame(lookUp(previous, ['a', 'b', 'bb', 'c', 'd', 'e', 'f']), [
    ['aabb', STATE.same],
    ['b1', STATE.unknown],
    undefined,
    ['c2', STATE.unknown],
    ['aabb', STATE.same],
    ['aabb', STATE.unknown],
    undefined,
  ]);
  t.equal(previous.object, undefined, 'it is the directory of no snapshot');
  t.equal(previous.table.summary, undefined);
  t.equal(previous.known?.ownState(stat, rules), STATE.same, 'the directory itself is known');
});

t.test('child directories keep their objects apart', async t => {
  const child = (name: string, objectId: string) => ({ name, type: 'd', objectId });
  const parent = objectOf('k0', [child('a', 'k0a'), child('b', 'k0b'), { name: 'x' }]);
  const first = objectOf('k1', [child('a', 'k0a'), child('b', 'kb1'), child('c', 'kc1')]);
  const second = objectOf('k2', [child('b', 'kb2'), child('c', 'kc1'), child('x', 'k99')]);
  const previous = new PreviousEntries();
  previous.begin(parent, undefined, [first, second]);
  const idsOf = (name: string) => {
    const { previous: before, resumed } = previous.children?.get(childKey(Buffer.from(name))) ?? {};
    return [before?.objectId, resumed?.map(({ objectId }) => objectId)];
  };
  t.strictSame(idsOf('a'), ['k0a', undefined], 'nothing else is known of it');
  t.strictSame(idsOf('b'), ['k0b', ['kb1', 'kb2']]);
  t.strictSame(idsOf('c'), [undefined, ['kc1']]);
  t.strictSame(idsOf('x'), [undefined, ['k99']]);
  t.strictSame(lookUp(previous, ['x']), [['aabb', STATE.unknown]], 'a file before');
});

t.test('one incomplete snapshot without a parent is used as it stands', async t => {
  const only = objectOf('k1', [{ name: 'a' }]);
  const previous = new PreviousEntries();
  previous.begin(undefined, undefined, [only]);
  t.equal(previous.object, only);
  t.match(previous.table.summary, summary);
  t.strictSame(lookUp(previous, ['a']), [['aabb', STATE.unknown]]);
});

t.test('what is damaged or not in order is as good as none', async t => {
  const parent = objectOf('k0', [{ name: 'a' }, { name: 'b' }]);
  const damaged = { objectId: 'k1', bytes: new Uint8Array([1]) };
  const unsorted = objectOf('k2', [{ name: 'b', objectId: 'b2' }, { name: 'a' }]);
  const previous = new PreviousEntries();
  previous.begin(parent, recordOf(2), [damaged, unsorted]);
  const known = ['aabb', STATE.same];
  t.strictSame(lookUp(previous, ['a', 'b']), [known, known]);
  previous.begin(undefined, undefined, [damaged]);
  t.strictSame(lookUp(previous, ['a', 'b']), [undefined, undefined]);
  previous.begin(unsorted, recordOf(2), [parent]);
  t.strictSame(
    lookUp(previous, ['a', 'b']),
    [
      ['aabb', STATE.unknown],
      ['aabb', STATE.unknown],
    ],
    'of a parent that is not in order nothing is known',
  );
});

t.test('all is forgotten with the next directory', async t => {
  const previous = new PreviousEntries();
  previous.begin(objectOf('k0', []), undefined, [objectOf('k1', [{ name: 'a' }])]);
  previous.begin(undefined, undefined);
  t.strictSame(lookUp(previous, ['a']), [undefined]);
  t.equal(previous.children, undefined);
});
