// Backups that compare with what a thread has seen before the repository was open.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { OpenContents } from '#engine/content/open-contents.ts';
import { backup } from '#engine/operations.ts';
import { Repository } from '#engine/repository.ts';
import type { BackupRequest } from '#engine/snapshot/backup.ts';
import type { LookAheadErrand } from '#engine/snapshot/upload/look-ahead.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import type { MemoryStorage } from '#engine/storage/memory.ts';
import { beginThread } from '#engine/base/begin-thread.js';
import { WaitingThread } from '#engine/workers/thread.ts';
import { emptyStorage, loadedFormat, repositoryFor, request } from './backup-scene.ts';
import { HAS_SEEN } from './has-seen.ts';
import { LEAF_CHANGES, makeLeaves, settle } from './leaves-scene.ts';

const SEEING_WORKER = new URL('./seeing-worker.ts', import.meta.url);
const LEAVES = 6;

/** Leaves as they are in the newest snapshot. */
async function scene(t: Test) {
  const root = makeLeaves(t, LEAVES);
  const storage = await emptyStorage();
  await settledRoot(t, storage, root);
  return { root, storage };
}

/** The root's object once nothing is so young any more that it is read again. */
async function settledRoot(t: Test, storage: MemoryStorage, root: string): Promise<string> {
  return (await settle(await repositoryFor(t, { storage }), root)).rootObjectId;
}

/** A thread that has seen all of `root`. */
async function seeingThread(root: string): Promise<WaitingThread> {
  const path = new Uint8Array(Buffer.from(root));
  const errand: LookAheadErrand = { root: path, isNativeAllowed: true };
  const begun = beginThread(SEEING_WORKER);
  const hasSeen = new Promise<void>(resolve => {
    begun.worker.on('message', message => void (message === HAS_SEEN && resolve()));
  });
  const thread = new WaitingThread(begun);
  thread.send(errand);
  await hasSeen;
  return thread;
}

async function backupWith(
  t: Test,
  { storage, root, thread }: { storage: MemoryStorage; root: string; thread: WaitingThread },
  more: Partial<BackupRequest>,
) {
  const owner = { user: 'user', host: 'host' };
  const settings = { threadEntry: SEEING_WORKER, threads: 1, owner };
  const format = await loadedFormat;
  const parts = await OpenContents.openWith<EngineTasks>(storage, format, settings, thread);
  const repository = new Repository(parts, undefined);
  t.teardown(() => repository.close());
  return await backup(repository, request(root, more));
}

const changeUnseen = (root: string): void => writeFileSync(`${root}/leaf1/f1`, 'changed');

t.test('what was seen since the time of a snapshot is not looked at again', async t => {
  const { root, storage } = await scene(t);
  const seenSinceMs = Date.now();
  const thread = await seeingThread(root);
  changeUnseen(root);
  const outcome = await backupWith(t, { storage, root, thread }, { seenSinceMs });
  t.match(outcome, { bytesRead: 0, files: 5 * LEAVES, directories: LEAVES + 1 });
  const next = await repositoryFor(t, { storage });
  t.equal((await backup(next, request(root))).bytesRead, 'changed'.length, 'the next sees it');
});

t.test('a backup of a later time, or that believes less, looks for itself', async t => {
  const { root, storage } = await scene(t);
  const others: Record<string, (sinceMs: number) => Partial<BackupRequest>> = {
    'that does not say when': () => ({}),
    'of a later time': () => ({ seenSinceMs: Date.now() + 1 }),
    'that reads everything': seenSinceMs => ({ seenSinceMs, forceHash: true }),
    'that believes no inodes': seenSinceMs => ({ seenSinceMs, ignoreInode: true }),
  };
  for (const [what, more] of Object.entries(others)) {
    const sinceMs = Date.now();
    const thread = await seeingThread(root);
    writeFileSync(`${root}/leaf1/f1`, what);
    const { bytesRead } = await backupWith(t, { storage, root, thread }, more(sinceMs));
    t.ok(bytesRead >= what.length, what);
    await settledRoot(t, storage, root);
  }
});

t.test('a tree that has taken the place of the one that was seen is looked at', async t => {
  const { root, storage } = await scene(t);
  const seenSinceMs = Date.now();
  const thread = await seeingThread(root);
  renameSync(`${root}/leaf1`, `${root}/../before`);
  mkdirSync(`${root}/leaf1`);
  writeFileSync(`${root}/leaf1/f1`, 'another tree');
  const { bytesRead } = await backupWith(t, { storage, root, thread }, { seenSinceMs });
  t.equal(bytesRead, 'another tree'.length);
});

const CHANGES: typeof LEAF_CHANGES = {
  ...LEAF_CHANGES,
  nothing: () => undefined,
  'no directory': leaf => rmSync(leaf, { recursive: true }),
  'rules that leave something out': leaf => writeFileSync(`${leaf}/.kopiaignore`, 'f3\n'),
  'a tag of a cache': leaf =>
    writeFileSync(`${leaf}/CACHEDIR.TAG`, 'Signature: 8a477f597d28d172789f06886806bc55'),
};

t.test('every change before is seen', async t => {
  for (const [what, change] of Object.entries(CHANGES)) {
    const { root, storage } = await scene(t);
    change(`${root}/leaf3`);
    const seenSinceMs = Date.now();
    const thread = await seeingThread(root);
    const { rootObjectId } = await backupWith(t, { storage, root, thread }, { seenSinceMs });
    t.equal(rootObjectId, await settledRoot(t, storage, root), what);
  }
});

t.test('rules that nobody knew when it was seen are heeded', async t => {
  const requests: Record<string, Partial<BackupRequest>> = {
    'an exclude': { exclude: ['f3'] },
    'a limit of size': { fileBytesMax: 1 },
    'a file of rules': { ignoreFileNames: ['rules'] },
  };
  const { root, storage } = await scene(t);
  writeFileSync(`${root}/leaf2/f2`, 'too long');
  writeFileSync(`${root}/leaf2/rules`, 'f4\n');
  writeFileSync(`${root}/leaf2/.kopiaignore`, 'link\n');
  await settledRoot(t, storage, root);
  for (const [what, more] of Object.entries(requests)) {
    const seenSinceMs = Date.now();
    const thread = await seeingThread(root);
    const place = { storage, root, thread };
    const { rootObjectId } = await backupWith(t, place, { ...more, seenSinceMs });
    const other = await repositoryFor(t, { storage });
    const expected = await backup(other, request(root, { ...more, parent: 'none' }));
    t.equal(rootObjectId, expected.rootObjectId, what);
    await settledRoot(t, storage, root);
  }
});
