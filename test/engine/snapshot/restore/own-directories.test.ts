// What a restore leaves to directories that were there before it, and to whoever else they belong.

import fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openStorage } from '#engine/storage/open-storage.ts';
import { backup, restore } from '#engine/operations.ts';
import type { Node } from '#test/support/stored-tree.ts';
import { repositoryFor, request } from '#test/engine/snapshot/backup-scene.ts';
import { sceneOf, small } from './restore-scene.ts';

const deep: Node = {
  directory: [
    ['a', { directory: [['x', small('one')]], mode: 0o755 }],
    ['b', small('two')],
  ],
  mode: 0o755,
};

function modeOf(path: string): number {
  return fs.statSync(path).mode & 0o7777;
}

t.test('never leaves directories that are there their attributes', async t => {
  const { run, target } = sceneOf(t, deep, { target: { a: {} } });
  for (const path of [target, join(target, 'a')]) {
    fs.chmodSync(path, 0o711);
    fs.utimesSync(path, 1_000_000_000, 1_000_000_000);
  }
  const outcome = await run({ overwrite: 'never' });
  t.same(outcome.differences, []);
  t.same([modeOf(target), modeOf(join(target, 'a'))], [0o711, 0o711]);
  t.equal(fs.readFileSync(join(target, 'a/x'), 'utf8'), 'one');
  await run({ overwrite: 'if-different' });
  t.same([modeOf(target), modeOf(join(target, 'a'))], [0o755, 0o755]);
});

t.test('directories that only lead to what is wanted are left as they are', async t => {
  for (const overwrite of ['always', 'if-different'] as const) {
    const { run, target } = sceneOf(t, deep, { target: { a: {} } });
    for (const path of [target, join(target, 'a')]) fs.chmodSync(path, 0o711);
    const outcome = await run({ overwrite, include: ['/a/x'] });
    t.equal(outcome.files, 1);
    t.same([modeOf(target), modeOf(join(target, 'a'))], [0o711, 0o711]);
    await run({ overwrite, include: ['/a'] });
    t.same([modeOf(target), modeOf(join(target, 'a'))], [0o711, 0o755], 'one that is wanted');
    fs.rmSync(target, { recursive: true });
  }
});

t.test('nothing extra is removed from around the repository', async t => {
  const place = t.testdir({ data: { file: 'content' }, repository: {} });
  const storage = await openStorage(`file://${join(place, 'repository')}`);
  const repository = await repositoryFor(t, { storage });
  const { snapshotId: snapshot } = await backup(repository, request(join(place, 'data')));
  fs.symlinkSync(place, join(place, 'link'));
  for (const name of ['.', 'link', 'repository', 'repository/in/it']) {
    const target = join(place, name);
    const wanted = { snapshot, target, delta: true, deleteExtra: true };
    await t.rejects(restore(repository, wanted), { code: 'USAGE', message: /the repository/ });
  }
  t.ok(fs.existsSync(join(place, 'data/file')));
  const target = join(place, 'data');
  const outcome = await restore(repository, { snapshot, target, delta: true, deleteExtra: true });
  t.same(outcome.differences, []);
});
