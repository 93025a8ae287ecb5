// What a backup takes over, looks at again and reads again.

import { linkSync, mkdirSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { isNativeAvailable } from '#engine/base/native.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import { backup, surveyBackup } from '#engine/operations.ts';
import type { Repository } from '#engine/repository.ts';
import type { BackupRequest } from '#engine/snapshot/backup.ts';
import { changesOf, withChanges } from '#engine/snapshot/changes-note.ts';
import { resolveSnapshot } from '#engine/snapshot/snapshots.ts';
import { KnownChanges } from '#engine/snapshot/upload/known-changes.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { setXattr } from '#test/support/set-attributes.ts';
import { storedEntries } from '#test/support/stored-extras.ts';
import { emptyStorage, repositoryFor, request } from './backup-scene.ts';

const { signal } = new AbortController();

/** A backup with what it read. */
async function run(repository: Repository, path: string, more: Partial<BackupRequest> = {}) {
  const { control } = repository.parts;
  const counted = ['files', 'filesReused', 'bytesRead'] as const;
  const before = counted.map(name => control.total(name));
  const outcome = await backup(repository, request(path, more));
  const [read, reused, bytes] = counted.map((name, index) => control.total(name) - before[index]);
  return { ...outcome, read, reused, bytesRead: bytes };
}

/** Backs up until nothing is so young any more that it is read again. */
async function settle(repository: Repository, path: string): Promise<void> {
  while ((await run(repository, path)).read > 0);
}

function makeFiles(t: Test, count = 3): string {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(`${root}/inner`, { recursive: true });
  for (let index = 0; index < count; index++) writeFileSync(`${root}/f${index}`, `${index}`);
  writeFileSync(`${root}/inner/file`, 'inner');
  return root;
}

t.test('a change that size and time do not show is seen by the change time', async t => {
  const root = makeFiles(t);
  const repository = await repositoryFor(t);
  await settle(repository, root);
  const { mtime } = statSync(`${root}/f1`);
  writeFileSync(`${root}/f1`, 'X');
  utimesSync(`${root}/f1`, mtime, mtime);
  const changed = await run(repository, root);
  t.match(changed, { read: 1, reused: 3 });
  const entries = await storedEntries(repository, changed.snapshotId);
  t.not(entries.get('f1')?.entry.objectId, entries.get('f0')?.entry.objectId);
});

t.test('a file that takes the place of another one is seen by its inode', async t => {
  const root = makeFiles(t);
  const repository = await repositoryFor(t);
  await settle(repository, root);
  renameSync(`${root}/f1`, `${root}/inner/f1`);
  renameSync(`${root}/f2`, `${root}/f1`);
  renameSync(`${root}/inner/f1`, `${root}/f2`);
  const swapped = await run(repository, root, { ignoreCtime: true });
  t.ok(swapped.read >= 2, 'whatever their times are');
});

t.test('nothing that is known to be the same is opened', async t => {
  const root = makeFiles(t, 20);
  const repository = await repositoryFor(t, { threads: 1 });
  await settle(repository, root);
  const first = await run(repository, root);
  t.match(first, { read: 0, reused: 21, contentsNew: 1 });
  const forced = await run(repository, root, { forceHash: true });
  t.match(forced, { read: 21, reused: 0, rootObjectId: first.rootObjectId });
});

t.test('change times and inodes can be left out of account', async t => {
  const root = makeFiles(t);
  const repository = await repositoryFor(t);
  await settle(repository, root);
  // A new name changes the change time of a file and nothing else.
  linkSync(`${root}/f0`, `${root}/../other`);
  t.equal((await run(repository, root, { ignoreCtime: true })).read, 0);
  t.match(await run(repository, root), { read: 1 }, 'and it is not forgotten');
});

t.test("a directory keeps its attributes when the parent's object is damaged", async t => {
  if (!isNativeAvailable()) return void t.comment('skipped: only system calls see attributes');
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(`${root}/outer/inner`, { recursive: true });
  writeFileSync(`${root}/outer/inner/file`, '');
  if (!setXattr(`${root}/outer`, 'user.a', Buffer.of(1)))
    return void t.comment('skipped: none here');
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  await settle(repository, root);
  const before = await run(repository, root);
  const outer = (await storedEntries(repository, before.snapshotId)).get('outer');
  const stored = outer && repository.contents.find(outer.entry.objectId);
  if (!stored) return void t.fail('it has no object');
  const pack = (await storage.get(stored.packId)).slice();
  pack[stored.packOffset + 20] ^= 1;
  await storage.put(stored.packId, [pack]);
  const after = await run(repository, root);
  t.equal(after.rootObjectId, before.rootObjectId);
});

t.test('attributes are looked at again where nothing is known', async t => {
  if (!isNativeAvailable()) return void t.comment('skipped: only system calls see attributes');
  const root = makeFiles(t);
  if (!setXattr(`${root}/f0`, 'user.a', Buffer.of(1))) return void t.comment('skipped: none here');
  const repository = await repositoryFor(t);
  const first = await run(repository, root);
  const parent = await resolveSnapshot(repository.manifests, first.snapshotId, {});
  // The same without what is known of it, as kopia's maintenance leaves it.
  const { contents } = repository;
  const note = changesOf(parent);
  if (note === undefined) return void t.fail('it has no note');
  const absent = () => Promise.reject(new EngineError('CONTENT_NOT_FOUND', 'it is gone'));
  // Of a reader, openObject uses these two.
  const gone = { find: () => undefined, read: absent } as unknown as ContentSource;
  const known = new KnownChanges(gone, note, signal);
  t.equal(await known.find([]), undefined);
  t.ok(known.isLost);
  const shifted = new KnownChanges(contents, { ...note, index: note.index + 16 }, signal);
  t.equal(await shifted.find([]), undefined, 'a note that does not fit');
});

t.test('of a file that lacks attributes a change is seen as of others', async t => {
  if (!isNativeAvailable()) return void t.comment('skipped: only system calls see attributes');
  const root = makeFiles(t);
  // One more than are kept.
  const names = Array.from({ length: 17 }, (_, index) => `user.${index}`);
  const value = Buffer.alloc(65_536);
  if (!names.every(name => setXattr(`${root}/f0`, name, value))) {
    return void t.comment('skipped: there is no room for attributes here');
  }
  const write = (text: string) => {
    for (const file of [`${root}/f0`, `${root}/f1`]) {
      writeFileSync(file, text);
      utimesSync(file, 1_600_000_000, 1_600_000_000);
    }
  };
  write('O');
  const repository = await repositoryFor(t);
  await settle(repository, root);
  const lacking = { skippedCount: 1, skipped: [{ code: 'SOURCE_ATTRIBUTE_UNREADABLE' }] };
  t.match(await run(repository, root), { read: 0, ...lacking }, 'looked at again, not read again');
  write('X');
  const blind = await run(repository, root, { ignoreCtime: true });
  t.match(blind, { read: 0, ...lacking }, 'unless change times are ignored');
  t.match(await run(repository, root), { read: 2, ...lacking }, 'which does not forget it');
});

t.test('notes are kept beside others, and only what is understood is believed', async t => {
  const note = { version: 1, object: 'kaa', index: 32, slots: 16 } as const;
  const extra = withChanges({ stevedore: { splitter: 'X' }, other: 1 }, note);
  t.strictSame(extra, { stevedore: { splitter: 'X', changes: note }, other: 1 });
  t.equal(withChanges(undefined, undefined), undefined);
  const manifest = (changes: unknown) =>
    ({ extra: { stevedore: { changes } } }) as unknown as Parameters<typeof changesOf>[0];
  t.strictSame(changesOf(manifest(note)), note);
  for (const wrong of [undefined, 1, null, {}, { ...note, version: 2 }, { ...note, slots: -1 }]) {
    t.equal(changesOf(manifest(wrong)), undefined);
  }
});

t.test('of a file that is the source, a change that size and time do not show is seen', async t => {
  const path = `${fastDirectory(t)}/file`;
  writeFileSync(path, 'AAAA');
  utimesSync(path, 1, 1);
  const repository = await repositoryFor(t);
  const settled = async () => {
    let outcome = await run(repository, path);
    while (outcome.bytesRead > 0) outcome = await run(repository, path);
    return outcome;
  };
  const first = await settled();
  t.match(await run(repository, path), { bytesTakenOver: 4, contentsNew: 1 }, 'the manifest');
  writeFileSync(path, 'BBBB');
  utimesSync(path, 1, 1);
  const ignoring = { ignoreCtime: true };
  t.match(await run(repository, path, ignoring), { rootObjectId: first.rootObjectId });
  t.match(await surveyBackup(repository, request(path)), { files: { changed: { files: 1 } } });
  const changed = await run(repository, path);
  t.equal(changed.bytesRead, 4, 'and it is not forgotten');
  t.not(changed.rootObjectId, first.rootObjectId);
  t.equal((await settled()).rootObjectId, changed.rootObjectId);
  t.match(await surveyBackup(repository, request(path)), { files: { unchanged: { files: 1 } } });
});
