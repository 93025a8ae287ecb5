// Run by mounted-below.slow.test.ts in a mount namespace.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  backup,
  planRestore as planRestoreFrom,
  restore as restoreFrom,
} from '#engine/operations.ts';
import { planRestore, restore } from '#engine/snapshot/restore/restore.ts';
import { openStorage } from '#engine/storage/open-storage.ts';
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

/** A volume with a repository in it that is opened by a bind mount, and a snapshot of `data`. */
async function repositoryInVolume(t: Test, backups: string) {
  const volume = makeDirectoryThere();
  const view = makeDirectoryThere();
  for (const name of ['data', backups]) mkdirSync(join(volume, name), { recursive: true });
  writeFileSync(join(volume, 'data/file'), 'content');
  bindMount(join(volume, backups), view);
  const repository = await repositoryFor(t, { storage: await openStorage(`file://${view}`) });
  return { volume, view, repository };
}

t.test('the repository stays where a bind mount has put it into the target', async t => {
  for (const backups of ['backups', 'in/the/depth']) {
    const { volume, view, repository } = await repositoryInVolume(t, backups);
    const { snapshotId: snapshot } = await backup(repository, request(join(volume, 'data')));
    const before = readdirSync(view, { recursive: true }).toSorted();
    const wanted = { snapshot, target: volume, delta: true, deleteExtra: true };
    writeFileSync(join(volume, 'more'), 'goes');
    const named = [{ path: '', attribute: 'extra', found: /is the repository's directory by/ }];
    if (backups === 'backups') {
      const plan = await planRestoreFrom(repository, wanted);
      t.match(plan.differences, named);
      t.same(plan.toRemove.toSorted(), ['data', 'more']);
    }
    const outcome = await restoreFrom(repository, wanted);
    t.match(outcome, { differences: named, missingCount: 0 });
    t.same(readdirSync(view, { recursive: true }).toSorted(), before);
    t.same(readdirSync(volume).toSorted(), ['file', backups.split('/')[0]].toSorted());
  }
});

t.test('the repository stays where the snapshot has its directory', async t => {
  const { volume, view, repository } = await repositoryInVolume(t, 'backups');
  mkdirSync(join(view, 'sub'));
  const { snapshotId: snapshot } = await backup(repository, request(volume));
  writeFileSync(join(view, 'sub/newer'), '');
  const before = readdirSync(view, { recursive: true }).toSorted();
  const wanted = { snapshot, target: volume, overwrite: 'never', deleteExtra: true } as const;
  const outcome = await restoreFrom(repository, wanted);
  const found = /^1 more, which stay: the repository is there$/;
  const inside = outcome.differences.filter(({ path }) => path === 'backups/sub');
  t.match(inside, [{ attribute: 'extra', found }]);
  t.same(readdirSync(view, { recursive: true }).toSorted(), before);
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

t.test('a target that the snapshot makes append-only is restored over again', async t => {
  const mounted = mountImage(IMAGES.ext4);
  if ('reason' in mounted) return t.comment(`ext4 cannot be mounted: ${mounted.reason}`);
  const source = join(mounted.path, 'source');
  const target = join(mounted.path, 'target');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'stored');
  execFileSync('chattr', ['+a', source]);
  const repository = await repositoryFor(t);
  const { snapshotId: snapshot } = await backup(repository, request(source));
  await restoreFrom(repository, { snapshot, target });
  for (const overwrite of ['always', 'if-different'] as const) {
    execFileSync('chattr', ['-a', target]);
    writeFileSync(join(target, 'file'), 'something else');
    writeFileSync(join(target, 'extra'), '');
    execFileSync('chattr', ['+a', target]);
    const wanted = { snapshot, target, overwrite, deleteExtra: true };
    t.same((await restoreFrom(repository, wanted)).differences, []);
    t.same(readdirSync(target), ['file']);
    t.equal(readFileSync(join(target, 'file'), 'utf8'), 'stored');
    const [flags] = execFileSync('lsattr', ['-d', target], { encoding: 'utf8' }).split(' ');
    t.match(flags, /a/);
  }
  await t.rejects(restoreFrom(repository, { snapshot, target }), { code: 'TARGET_NOT_EMPTY' });
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
