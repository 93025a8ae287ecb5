// Directories that are taken over by what is known beside the snapshot alone.

import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { backup } from '#engine/operations.ts';
import type { Repository } from '#engine/repository.ts';
import type { MemoryStorage } from '#engine/storage/memory.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { emptyStorage, repositoryFor, request } from './backup-scene.ts';

const LEAVES = 12;

/** A root with leaves of some files and a link each. */
function makeLeaves(t: Test): string {
  const root = `${fastDirectory(t)}/tree`;
  for (let leaf = 0; leaf < LEAVES; leaf++) {
    mkdirSync(`${root}/leaf${leaf}`, { recursive: true });
    for (let file = 0; file < 5; file++) writeFileSync(`${root}/leaf${leaf}/f${file}`, `${file}`);
    symlinkSync('f0', `${root}/leaf${leaf}/link`);
  }
  return root;
}

/** Backs up until nothing is so young any more that it is read again, and once more. */
async function settle(repository: Repository, path: string) {
  while ((await backup(repository, request(path))).bytesRead > 0);
  return await backup(repository, request(path));
}

/** The directory objects of the snapshot that are fetched meanwhile, by ranges of packs. */
function countFetches(storage: MemoryStorage): () => number {
  const get = storage.get.bind(storage);
  let count = 0;
  storage.get = async (id, options) => {
    if (id.startsWith('q')) count += 1;
    return await get(id, options);
  };
  return () => count;
}

async function scene(t: Test) {
  const root = makeLeaves(t);
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  const before = await settle(repository, root);
  return { root, storage, repository, before };
}

t.test('neither fetched nor opened are directories in which nothing has changed', async t => {
  const { root, storage, repository, before } = await scene(t);
  const fetches = countFetches(storage);
  const again = await backup(repository, request(root));
  const ofAll = fetches();
  t.equal(again.rootObjectId, before.rootObjectId);
  t.match(again, { files: 5 * LEAVES, directories: LEAVES + 1, bytesRead: 0, bytes: 5 * LEAVES });
  writeFileSync(`${root}/leaf3/f3`, 'new');
  writeFileSync(`${root}/leaf5/f3`, 'new');
  await backup(repository, request(root));
  t.ok(fetches() - ofAll > ofAll, 'of the others they are');
});

const CHANGES: Readonly<Record<string, (leaf: string) => void>> = {
  'a file of another length': leaf => writeFileSync(`${leaf}/f1`, 'longer'),
  'a file of the same length and time': leaf => {
    const { atime, mtime } = statSync(`${leaf}/f1`);
    writeFileSync(`${leaf}/f1`, 'X');
    utimesSync(`${leaf}/f1`, atime, mtime);
  },
  'a new name': leaf => renameSync(`${leaf}/f1`, `${leaf}/f9`),
  'two names that were exchanged': leaf => {
    renameSync(`${leaf}/f1`, `${leaf}/f9`);
    renameSync(`${leaf}/f2`, `${leaf}/f1`);
    renameSync(`${leaf}/f9`, `${leaf}/f2`);
  },
  'one more file': leaf => writeFileSync(`${leaf}/f9`, ''),
  'one file less': leaf => unlinkSync(`${leaf}/f4`),
  'no file': leaf => {
    for (let file = 0; file < 5; file++) unlinkSync(`${leaf}/f${file}`);
    unlinkSync(`${leaf}/link`);
  },
  'other permissions': leaf => chmodSync(`${leaf}/f1`, 0o600),
  'other permissions of the directory': leaf => chmodSync(leaf, 0o700),
  'a second name of a file': leaf => linkSync(`${leaf}/f1`, `${leaf}/f9`),
  'a link in place of a file': leaf => {
    unlinkSync(`${leaf}/f1`);
    symlinkSync('f2', `${leaf}/f1`);
  },
  'a link that leads elsewhere': leaf => {
    unlinkSync(`${leaf}/link`);
    symlinkSync('f1', `${leaf}/link`);
  },
  'a directory in place of a file': leaf => {
    unlinkSync(`${leaf}/f1`);
    mkdirSync(`${leaf}/f1`);
  },
  'a file in place of the directory': leaf => {
    rmSync(leaf, { recursive: true });
    writeFileSync(leaf, '');
  },
};

t.test('every change is seen', async t => {
  const { root, repository, before } = await scene(t);
  let last = before.rootObjectId;
  for (const [name, change] of Object.entries(CHANGES)) {
    const leaf = `${root}/leaf${Object.keys(CHANGES).indexOf(name) % LEAVES}`;
    if (!statSync(leaf).isDirectory()) throw new Error(`${leaf} was used up`);
    change(leaf);
    const outcome = await backup(repository, request(root));
    const { rootObjectId } = await backup(repository, request(root, { forceHash: true }));
    t.equal(outcome.rootObjectId, rootObjectId, name);
    t.not(rootObjectId, last, name);
    last = rootObjectId;
  }
});

t.test('what is left out now is left out, though nothing has changed', async t => {
  const { root, repository, before } = await scene(t);
  const asked = await backup(repository, request(root, { exclude: ['f1'] }));
  t.equal(asked.files, before.files - LEAVES);
  const again = await backup(repository, request(root, { exclude: ['f1'] }));
  t.equal(again.rootObjectId, asked.rootObjectId);
  const restored = await backup(repository, request(root));
  t.equal(restored.rootObjectId, before.rootObjectId, 'and back when it is wanted again');
  writeFileSync(`${root}/leaf2/.kopiaignore`, 'f1\n');
  const less = await backup(repository, request(root));
  t.equal(less.files, before.files, 'one more and one less');
  unlinkSync(`${root}/leaf2/.kopiaignore`);
  const whole = await settle(repository, root);
  t.equal(whole.files, before.files);
  writeFileSync(`${root}/.kopiaignore`, '/leaf2/f1\n');
  const below = await backup(repository, request(root));
  t.equal(below.files, before.files, 'a rule of a directory above');
});
