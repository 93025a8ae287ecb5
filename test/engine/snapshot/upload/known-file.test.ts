import t from 'tap';
import { STATE } from '#engine/snapshot/source/change-record.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { fileRecord, fileState, recordOfSame } from '#engine/snapshot/upload/known-file.ts';

const CHANGED_S = 1_700_000_000;
const CHANGED_MS = CHANGED_S * 1000;
const LATER_MS = CHANGED_MS + 10_000;
const rules = { forceHash: false, ignoreCtime: false, ignoreInode: false };
const ofChange = { ctimeSeconds: CHANGED_S, ctimeNanoseconds: 5, inodeLow: 7 };

const statOf = (more: Partial<SourceStat> = {}): SourceStat =>
  Object.assign(new SourceStat(), { type: ENTRY_TYPE.file, size: 4, ...ofChange, ...more });
const previous = {
  name: 'file',
  type: 'f',
  mode: 0,
  uid: 0,
  gid: 0,
  bytes: 4,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  objectId: 'ab',
};
const steady = { seenMs: LATER_MS, isSteady: true };
const known = fileRecord(statOf(), steady);

t.test('a file is the same by size and times, its change time and inode among them', async t => {
  t.equal(fileState(previous, known, statOf(), rules), STATE.same);
  const different: Partial<SourceStat>[] = [
    { size: 5 },
    { mtimeNanoseconds: 1 },
    { ctimeNanoseconds: 6 },
    { inodeLow: 8 },
    { type: ENTRY_TYPE.symlink },
  ];
  for (const more of different) {
    t.equal(fileState(previous, known, statOf(more), rules), STATE.changed, JSON.stringify(more));
  }
  t.equal(fileState(undefined, known, statOf(), rules), STATE.changed);
  t.equal(fileState(previous, known, statOf(), { ...rules, forceHash: true }), STATE.changed);
});

t.test('one that was too young or written to is read again', async t => {
  const young = fileRecord(statOf(), { seenMs: CHANGED_MS + 10, isSteady: true });
  const written = fileRecord(statOf(), { seenMs: LATER_MS, isSteady: false });
  t.equal(fileState(previous, young, statOf(), rules), STATE.changed);
  t.equal(fileState(previous, written, statOf(), rules), STATE.changed);
});

t.test('where nothing is known it is read if a run that did not end may have read it', async t => {
  t.equal(fileState(previous, undefined, statOf(), rules), STATE.unknown);
  const since = (resumedSinceMs: number) =>
    fileState(previous, undefined, statOf(), { ...rules, resumedSinceMs });
  t.equal(since(CHANGED_MS - 1000), STATE.changed);
  t.equal(since(LATER_MS), STATE.unknown);
});

t.test('a change that is ignored is not forgotten', async t => {
  const fresh = fileRecord(statOf({ ctimeNanoseconds: 6 }), steady);
  const record = (state: number, more: Partial<typeof rules> = {}) =>
    recordOfSame(known, { state, fresh, rules: { ...rules, ...more } });
  t.equal(record(STATE.same), known);
  t.equal(record(STATE.unknown), fresh);
  t.equal(record(STATE.unknown, { ignoreCtime: true }), known);
  t.equal(recordOfSame(undefined, { state: STATE.unknown, fresh, rules }), fresh);
});
