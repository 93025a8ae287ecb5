// What is known beside a snapshot covers all of it, whoever stored what.

import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { backup } from '#engine/operations.ts';
import { changesOf } from '#engine/snapshot/changes-note.ts';
import { resolveSnapshot } from '#engine/snapshot/snapshots.ts';
import { KnownChanges } from '#engine/snapshot/upload/known-changes.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { large, repositoryFor, request } from './backup-scene.ts';

const { signal } = new AbortController();

t.test('the record of every directory is found', async t => {
  const root = `${fastDirectory(t)}/tree`;
  for (let outer = 0; outer < 10; outer++) {
    for (let inner = 0; inner < 10; inner++) {
      const path = `${root}/o${outer}/i${inner}`;
      mkdirSync(path, { recursive: true });
      for (let file = 0; file < 10; file++) writeFileSync(`${path}/f${file}`, '');
    }
  }
  mkdirSync(`${root}/crowd`);
  for (let file = 0; file < 5000; file++) writeFileSync(`${root}/crowd/f${file}`, '');
  writeFileSync(`${root}/o3/large`, large);
  const repository = await repositoryFor(t, { threads: 4 });
  const { snapshotId } = await backup(repository, request(root));
  const note = changesOf(await resolveSnapshot(repository.manifests, snapshotId, {}));
  if (note === undefined) return void t.fail('it has no note');
  const known = new KnownChanges(repository.contents, note, signal);
  const visit = async (path: string, names: readonly Buffer[]): Promise<void> => {
    const record = await known.find(names);
    const children = readdirSync(path, { withFileTypes: true });
    const files = children.filter(child => !child.isDirectory());
    if (record?.[1] !== files.length) t.fail(`${path}: ${record?.[1]} of ${files.length}`);
    for (const child of children) {
      if (child.isDirectory())
        await visit(`${path}/${child.name}`, [...names, Buffer.from(child.name)]);
    }
  };
  await visit(root, []);
  const [, , , , , , low] = (await known.find([])) ?? [];
  t.equal(low, lstatSync(root).ino % 2 ** 32);
  t.equal(await known.find([Buffer.from('nowhere')]), undefined);
});
