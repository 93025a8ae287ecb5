import t from 'tap';

import type { DirEntry } from '#engine/format/directory.ts';
import { entryTimeEras, unwrapEntryTime, wrapEntryTime } from '#engine/format/entry-time.ts';
import {
  entryLetter,
  isUnchanged,
  wrapModificationTime,
} from '#engine/snapshot/source/change-detection.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';

const entry: DirEntry = {
  name: 'a',
  type: 'f',
  mode: 0o4755,
  bytes: 7,
  mtimeSeconds: -5,
  mtimeNanoseconds: 123_456_789,
  uid: 1,
  gid: 2,
  objectId: 'x',
};

const same = {
  type: ENTRY_TYPE.file,
  permissions: 0o4755,
  size: 7,
  mtimeSeconds: -5,
  mtimeNanoseconds: 123_456_789,
  uid: 1,
  gid: 2,
};

const statOf = (values: Partial<SourceStat>) => Object.assign(new SourceStat(), values);

t.test('a file is unchanged when all that kopia compares is equal', async t => {
  t.ok(isUnchanged(entry, statOf(same)));
  t.ok(isUnchanged(entry, statOf({ ...same, ctimeSeconds: 9, inodeLow: 9, linkCount: 3 })));
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
    t.notOk(isUnchanged(entry, statOf({ ...same, ...change })), JSON.stringify(change));
  }
});

t.test('a link can be unchanged, a directory or a pipe cannot', async t => {
  t.ok(isUnchanged({ ...entry, type: 's' }, statOf({ ...same, type: ENTRY_TYPE.symlink })));
  t.notOk(isUnchanged({ ...entry, type: 'd' }, statOf({ ...same, type: ENTRY_TYPE.directory })));
  t.notOk(isUnchanged(entry, statOf({ ...same, type: ENTRY_TYPE.fifo })));
  t.same([ENTRY_TYPE.file, ENTRY_TYPE.directory, ENTRY_TYPE.symlink].map(entryLetter), [
    'f',
    'd',
    's',
  ]);
  t.equal(entryLetter(ENTRY_TYPE.socket), undefined);
});

t.test('a time that kopia cannot hold wraps around as it does there', async t => {
  const stat = statOf({ mtimeSeconds: 9_300_000_000, mtimeNanoseconds: 5 });
  wrapModificationTime(stat);
  const wrapped = BigInt.asIntN(64, 9_300_000_000_000_000_005n);
  t.equal(BigInt(stat.mtimeSeconds) * 1_000_000_000n + BigInt(stat.mtimeNanoseconds), wrapped);
  t.equal(stat.mtimeEras, 1);
  const time = { seconds: stat.mtimeSeconds, nanoseconds: stat.mtimeNanoseconds };
  t.same(unwrapEntryTime(time, 1), { seconds: 9_300_000_000, nanoseconds: 5 });
  const ancient = { seconds: -200_000_000_000, nanoseconds: 999_999_999 };
  t.same(unwrapEntryTime(wrapEntryTime(ancient), entryTimeEras(ancient)), ancient);
  const usual = statOf(same);
  wrapModificationTime(usual);
  t.same(usual, statOf(same));
});
