import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import {
  identityOf,
  partialEntry,
  partialName,
  resumable,
} from '#engine/snapshot/upload/partial-file.ts';
import { SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { decodeEntry } from '#engine/format/directory-decode.ts';
import { encodeEntry } from '#engine/format/directory.ts';

const CHANGED_S = 1_700_000_000;
const LATER_MS = (CHANGED_S + 10) * 1000;

const stat = (more: Partial<SourceStat> = {}): SourceStat =>
  Object.assign(new SourceStat(), {
    size: 1000,
    mtimeSeconds: 5,
    mtimeNanoseconds: 6,
    ctimeSeconds: CHANGED_S,
    ctimeNanoseconds: 42,
    inodeLow: 77,
    ...more,
  });

const file = (name: string | Uint8Array) => ({
  name: new Uint8Array(Buffer.from(name)),
  mode: 0o644,
  uid: 1,
  gid: 2,
  bytes: 1000,
  mtimeSeconds: 5,
  mtimeNanoseconds: 6,
  ctimeSeconds: CHANGED_S,
  ctimeNanoseconds: 42,
  inode: '77',
  device: '0:0',
  stampIndex: 0,
});
const rules = { forceHash: false, ignoreCtime: false };
const stored = { objectId: 'ab'.repeat(16), bytes: 400 };

/** As it comes back from the repository. */
function entryOf(name: string | Uint8Array, nowMs = LATER_MS) {
  const identity = identityOf(stat(), nowMs);
  const entry = partialEntry(file(name), stored, identity.isSettled ? identity : undefined);
  return decodeEntry(
    JSON.parse(encodeEntry(entry)),
    problem => new EngineError('DIRECTORY_DAMAGED', problem),
  );
}

t.test('a part has a name that no file has, and the length of what was read', async t => {
  const entry = entryOf('large.img');
  t.match(entry, { name: /^\.checkpointed\.large\.img\.[0-9a-f-]{36}$/, bytes: 400, mode: 0o644 });
  t.equal(partialName(entry), 'large.img');
  t.equal(partialName({ ...entry, name: 'large.img' }), undefined);
  t.equal(partialName({ ...entry, extra: undefined }), undefined, 'one that kopia has written');
});

t.test('a file is gone on with when nothing about it is different', async t => {
  t.strictSame(resumable(entryOf('f'), stat(), rules), stored);
  const different: Partial<SourceStat>[] = [
    { size: 1001 },
    { mtimeSeconds: 4 },
    { mtimeNanoseconds: 7 },
    { ctimeSeconds: CHANGED_S + 1 },
    { ctimeNanoseconds: 43 },
    { inodeLow: 78 },
    { inodeHigh: 1 },
  ];
  for (const more of different) {
    t.equal(resumable(entryOf('f'), stat(more), rules), undefined, JSON.stringify(more));
  }
});

t.test('a change of a moment ago does not count, since the next may look the same', async t => {
  t.equal(identityOf(stat(), CHANGED_S * 1000 + 2999).isSettled, false);
  t.equal(identityOf(stat(), CHANGED_S * 1000 + 3001).isSettled, true);
  t.equal(identityOf(stat(), CHANGED_S * 1000 - 5000).isSettled, false, 'nor one to come');
  t.equal(resumable(entryOf('f', CHANGED_S * 1000), stat(), rules), undefined);
});

t.test('a name that is not UTF-8 may be that of another file', async t => {
  t.equal(resumable(entryOf(new Uint8Array([0x66, 0xff])), stat(), rules), undefined);
});

t.test('without change times, or when all is to be read, no file is gone on with', async t => {
  t.equal(resumable(entryOf('f'), stat(), { ...rules, forceHash: true }), undefined);
  t.equal(resumable(entryOf('f'), stat(), { ...rules, ignoreCtime: true }), undefined);
});

t.test('a field that nobody can have written is no part', async t => {
  const extra = { stevedore: { partial: { size: 'many' } } };
  t.equal(partialName({ ...entryOf('f'), extra }), undefined);
});
