// Run by mounted-below.slow.test.ts in a mount namespace.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { backup, restore as restoreFrom } from '#engine/operations.ts';
import { planRestore, restore } from '#engine/snapshot/restore/restore.ts';
import type { Node } from '#test/support/stored-tree.ts';
import {
  IMAGES,
  bindMount,
  makeDirectoryThere,
  mountImage,
  mountVirtual,
} from '#test/engine/snapshot/target/mounts.ts';
import { repositoryFor, request } from '#test/engine/snapshot/backup-scene.ts';
import { sceneOf } from './restore-scene.ts';

t.test('what lies on file systems mounted below a target is on the disk, too', async t => {
  const mounted = mountImage(IMAGES.ext4);
  if ('reason' in mounted) return t.comment(`ext4 cannot be mounted: ${mounted.reason}`);
  const text = 'only what was written back is in the image. ';
  const file: Node = { file: text.repeat(100), chunkBytes: 1000 };
  const small: Node = { file: 'small, and written back as well' };
  const inside: Node = {
    directory: [
      ['file', file],
      ['small', small],
    ],
  };
  const root: Node = { directory: [['a', { directory: [['inside', inside]] }]] };
  const { parts, snapshot } = sceneOf(t, root);
  const target = makeDirectoryThere();
  mkdirSync(join(target, 'a/inside'), { recursive: true });
  bindMount(mounted.path, join(target, 'a/inside'));
  writeFileSync(join(mounted.path, 'small'), 'was there');
  const outcome = await restore(parts, { snapshot, target, overwrite: 'always' });
  t.same(outcome.differences, []);
  const image = readFileSync(`${mounted.path}.img`);
  t.ok(image.includes(text.repeat(2)), 'a file of several chunks');
  t.ok(image.includes('small, and written back as well'), 'a small one');
});

t.test('nothing is removed from a file system that is mounted below a target', async t => {
  const inside: Node = { directory: [['kept', { directory: [] }]] };
  const { parts, snapshot } = sceneOf(t, { directory: [['inside', inside]] });
  const target = makeDirectoryThere();
  mkdirSync(join(target, 'inside'));
  bindMount(mountVirtual('tmpfs'), join(target, 'inside'));
  mkdirSync(join(target, 'inside/kept/own'), { recursive: true });
  writeFileSync(join(target, 'inside/own'), 'somebody has it');
  writeFileSync(join(target, 'extra'), 'goes');
  const wanted = { snapshot, target, overwrite: 'always', deleteExtra: true } as const;
  const found = /^1 more, which stay: another file system is mounted/;
  const named = [
    { path: 'inside', attribute: 'extra', found },
    { path: 'inside/kept', attribute: 'extra', found },
  ];
  const plan = await planRestore(parts, wanted);
  t.same(plan.toRemove, ['extra']);
  t.match(plan.differences, named);
  const outcome = await restore(parts, wanted);
  t.match(outcome.differences, named);
  t.ok(existsSync(join(target, 'inside/kept/own')) && existsSync(join(target, 'inside/own')));
  t.notOk(existsSync(join(target, 'extra')));
});

t.test('a file that is mounted in a target is not written in place', async t => {
  const source = makeDirectoryThere();
  writeFileSync(join(source, 'file'), 'new');
  const repository = await repositoryFor(t);
  const { snapshotId: snapshot } = await backup(repository, request(source));
  const target = makeDirectoryThere();
  const elsewhere = join(makeDirectoryThere(), 'elsewhere');
  writeFileSync(elsewhere, 'precious');
  writeFileSync(join(target, 'file'), '');
  bindMount(elsewhere, join(target, 'file'));
  for (const delta of [true, false]) {
    const wanted = { snapshot, target, overwrite: 'always', delta } as const;
    const outcome = await restoreFrom(repository, wanted);
    t.match(outcome.differences, [{ path: 'file', found: /EBUSY/ }]);
  }
  t.equal(readFileSync(elsewhere, 'utf8'), 'precious');
});

t.test('a target that is immutable is made writable, as what is in it', async t => {
  const mounted = mountImage(IMAGES.ext4);
  if ('reason' in mounted) return t.comment(`ext4 cannot be mounted: ${mounted.reason}`);
  const { parts, snapshot } = sceneOf(t, { directory: [['file', { file: 'new' }]] });
  const target = join(mounted.path, 'target');
  await restore(parts, { snapshot, target });
  rmSync(join(target, 'file'));
  execFileSync('chattr', ['+i', target]);
  const plan = await planRestore(parts, { snapshot, target, overwrite: 'always' });
  t.equal(plan.files, 1);
  await t.rejects(restore(parts, { snapshot, target, overwrite: 'never' }), {
    code: 'TARGET_NOT_WRITABLE',
  });
  const outcome = await restore(parts, { snapshot, target, overwrite: 'always' });
  t.same(outcome.differences, []);
  t.equal(readFileSync(join(target, 'file'), 'utf8'), 'new');
});
