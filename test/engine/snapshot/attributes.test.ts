// Extended attributes, inode flags and project ids on their way into a snapshot.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import t from 'tap';
import { isNativeAvailable } from '#engine/base/native.ts';
import { backup } from '#engine/operations.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { loopFileSystem } from '#test/support/loop-file-system.ts';
import { setXattr } from '#test/support/set-attributes.ts';
import { storedEntries } from '#test/support/stored-extras.ts';
import { large, repositoryFor, request } from './backup-scene.ts';

const isRoot = process.getuid?.() === 0;
const skip = isNativeAvailable() ? undefined : 'only system calls see attributes';
const bytes = (...values: number[]) => Uint8Array.from(values);

t.test('attributes of files, large files, directories and links are stored', { skip }, async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(`${root}/inner`, { recursive: true });
  writeFileSync(`${root}/small`, 'small');
  writeFileSync(`${root}/large`, large);
  writeFileSync(`${root}/plain`, 'plain');
  symlinkSync('small', `${root}/link`);
  if (!setXattr(`${root}/small`, 'user.b', bytes(0, 255))) {
    t.comment('skipped: this file system has no attributes');
    return;
  }
  setXattr(`${root}/small`, 'user.a', bytes());
  setXattr(`${root}/small`, 'user.\u00e9', bytes(1));
  setXattr(`${root}/large`, 'user.large', Buffer.alloc(5000, 7));
  setXattr(`${root}/inner`, 'user.inner', bytes(2));
  setXattr(root, 'user.root', bytes(3));
  const hasTrusted = isRoot && setXattr(`${root}/link`, 'trusted.link', bytes(4));
  const repository = await repositoryFor(t);
  const { snapshotId, skipped } = await backup(repository, request(root));
  t.strictSame(skipped, []);
  const entries = await storedEntries(repository, snapshotId);
  t.same(entries.get('small')?.extras?.xattrs, [
    { name: 'user.a', value: bytes() },
    { name: 'user.b', value: bytes(0, 255) },
    { name: 'user.\u00e9', value: bytes(1) },
  ]);
  t.equal(entries.get('large')?.extras?.xattrs?.[0]?.value.length, 5000);
  t.equal(entries.get('plain')?.extras, undefined);
  t.same(entries.get('inner')?.directory?.self?.xattrs, [{ name: 'user.inner', value: bytes(2) }]);
  t.same(entries.get('')?.directory?.self?.xattrs, [{ name: 'user.root', value: bytes(3) }]);
  if (hasTrusted) {
    t.same(entries.get('link')?.extras?.xattrs, [{ name: 'trusted.link', value: bytes(4) }]);
  } else {
    t.comment('skipped: only root may give a link attributes');
  }
});

t.test('a list of names of any length is stored whole', { skip }, async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(root);
  const files = ['short', 'exact', 'longer', 'long'];
  // With NULs behind them the names of each file have 255, 256, 257 and 4,096 bytes together.
  const totals = [255, 256, 257, 4096];
  const wanted = totals.map(total =>
    Array.from({ length: Math.ceil(total / 128) }, (_, index) => {
      const length = Math.min(128, total - index * 128) - 1;
      return `user.${String(index).padStart(3, '0')}`.padEnd(length, 'x').slice(0, length);
    }),
  );
  // The last name of `longer` would have no character left.
  wanted[2] = ['user.0'.padEnd(128, 'x'), 'user.1'.padEnd(127, 'x')];
  for (const [index, file] of files.entries()) {
    writeFileSync(`${root}/${file}`, file);
    for (const name of wanted[index]) {
      if (!setXattr(`${root}/${file}`, name, bytes(1))) {
        t.comment('skipped: this file system does not take so many attributes');
        return;
      }
    }
  }
  const repository = await repositoryFor(t);
  const { snapshotId, skipped } = await backup(repository, request(root));
  t.strictSame(skipped, []);
  const entries = await storedEntries(repository, snapshotId);
  for (const [index, file] of files.entries()) {
    const names = entries.get(file)?.extras?.xattrs?.map(({ name }) => name);
    t.same(names, wanted[index].toSorted());
    t.equal(wanted[index].join('0').length + 1, totals[index]);
  }
});

t.test('access control lists and capabilities are attributes like others', { skip }, async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(root);
  writeFileSync(`${root}/file`, 'file', { mode: 0o755 });
  const isSet = spawnSync('setfacl', ['-m', 'u:1234:rw', `${root}/file`]).status === 0;
  if (!isSet) return void t.comment('skipped: no setfacl, or no lists here');
  spawnSync('setfacl', ['-d', '-m', 'u:1234:rx', root]);
  const hasCapability =
    isRoot && spawnSync('setcap', ['cap_net_raw+p', `${root}/file`]).status === 0;
  const repository = await repositoryFor(t);
  const entries = await storedEntries(
    repository,
    (await backup(repository, request(root))).snapshotId,
  );
  const names = entries.get('file')?.extras?.xattrs?.map(({ name }) => name);
  t.same(names, [...(hasCapability ? ['security.capability'] : []), 'system.posix_acl_access']);
  t.match(entries.get('')?.directory?.self?.xattrs, [{ name: 'system.posix_acl_default' }]);
});

t.test(
  'changed attributes change what is stored, also where the content is old',
  { skip },
  async t => {
    const root = `${fastDirectory(t)}/tree`;
    mkdirSync(`${root}/inner`, { recursive: true });
    writeFileSync(`${root}/inner/file`, 'file');
    symlinkSync('file', `${root}/inner/link`);
    const repository = await repositoryFor(t);
    const first = await backup(repository, request(root));
    if (!setXattr(`${root}/inner/file`, 'user.a', bytes(1))) return void t.comment('skipped: none');
    const second = await backup(repository, request(root));
    t.not(second.rootObjectId, first.rootObjectId);
    const third = await backup(repository, request(root));
    t.equal(third.rootObjectId, second.rootObjectId);
    setXattr(`${root}/inner`, 'user.b', bytes(2));
    const fourth = await backup(repository, request(root));
    t.not(fourth.rootObjectId, third.rootObjectId);
    const entries = await storedEntries(repository, fourth.snapshotId);
    t.match(entries.get('inner')?.directory?.self?.xattrs, [{ name: 'user.b' }]);
    t.match(entries.get('inner/file')?.extras?.xattrs, [{ name: 'user.a' }]);
  },
);

t.test('attributes of a file that is the root of a snapshot', { skip }, async t => {
  const root = `${fastDirectory(t)}/file`;
  writeFileSync(root, 'file');
  if (!setXattr(root, 'user.a', bytes(1))) return void t.comment('skipped: none here');
  const repository = await repositoryFor(t);
  const { snapshotId } = await backup(repository, request(root));
  const entries = await storedEntries(repository, snapshotId);
  t.match(entries.get('')?.extras?.xattrs, [{ name: 'user.a' }]);
});

const FLAG_SYSTEMS: readonly { name: string; make: string[]; mib: number }[] = [
  { name: 'ext4', make: ['mkfs.ext4', '-q'], mib: 32 },
  { name: 'xfs', make: ['mkfs.xfs', '-q'], mib: 320 },
  { name: 'btrfs', make: ['mkfs.btrfs', '-q'], mib: 128 },
];

for (const { name, make, mib } of FLAG_SYSTEMS) {
  t.test(`flags and project ids of ${name} are stored, and no others`, { skip }, async t => {
    const made = loopFileSystem(t, { make, mib });
    if ('reason' in made) return void t.comment(`skipped: ${made.reason}`);
    const root = `${made.mounted.path}/tree`;
    mkdirSync(`${root}/inner`, { recursive: true });
    writeFileSync(`${root}/plain`, 'plain');
    writeFileSync(`${root}/flagged`, 'flagged');
    writeFileSync(`${root}/large`, large);
    execFileSync('chattr', ['+dA', `${root}/flagged`, `${root}/large`, `${root}/inner`]);
    const hasProjects = name === 'xfs';
    if (hasProjects) execFileSync('chattr', ['-p', '4711', `${root}/flagged`]);
    const repository = await repositoryFor(t);
    const { snapshotId, skipped } = await backup(repository, request(root));
    t.strictSame(skipped, []);
    const entries = await storedEntries(repository, snapshotId);
    t.equal(entries.get('plain')?.extras, undefined, 'nothing of extents and the like');
    t.match(entries.get('flagged')?.extras, { flags: 0xc0 });
    t.equal(entries.get('flagged')?.extras?.projectId, hasProjects ? 4711 : undefined);
    t.match(entries.get('large')?.extras, { flags: 0xc0 });
    t.match(entries.get('inner')?.directory?.self, { flags: 0xc0 });
  });
}

t.test('attributes that cannot be read are named and tried again', { skip }, async t => {
  const make = ['mkfs.ext4', '-q', '-O', '^metadata_csum', '-b', '4096'];
  const made = loopFileSystem(t, { make });
  if ('reason' in made) return void t.comment(`skipped: ${made.reason}`);
  const { mounted } = made;
  writeFileSync(`${mounted.path}/file`, 'file');
  writeFileSync(`${mounted.path}/other`, 'other');
  setXattr(`${mounted.path}/file`, 'user.long', Buffer.alloc(3000, 1));
  mounted.unmount();
  const shown = spawnSync('debugfs', ['-R', 'stat /file', mounted.image], { encoding: 'utf8' });
  const block = Number(/File ACL: (\d+)/.exec(shown.stdout)?.[1]);
  t.ok(block > 0, 'the attributes have a block of their own');
  const image = openSync(mounted.image, 'r+');
  writeSync(image, Buffer.alloc(4096, 0xff), 0, 4096, block * 4096);
  closeSync(image);
  t.equal(mounted.mount(), undefined);
  const repository = await repositoryFor(t);
  const path = `${mounted.path}/file`;
  for (const attempt of ['first', 'second']) {
    const outcome = await backup(repository, request(mounted.path));
    t.match(
      outcome.skipped.filter(entry => entry.path === path),
      [{ code: 'SOURCE_ATTRIBUTE_UNREADABLE', message: /extended attributes: \w+/ }],
      attempt,
    );
    t.equal(outcome.files, 2);
  }
});

t.test('blocks that attributes take do not hide the holes of a file', { skip }, async t => {
  const made = loopFileSystem(t, { make: ['mkfs.ext4', '-q', '-b', '4096'] });
  if ('reason' in made) return void t.comment(`skipped: ${made.reason}`);
  const root = `${made.mounted.path}/tree`;
  mkdirSync(root);
  const files = { end: [12_000, 13_826], nothing: [0, 4000], full: [9000, 9000] } as const;
  for (const [name, [written, size]] of Object.entries(files)) {
    writeFileSync(`${root}/${name}`, Buffer.alloc(written, 1));
    truncateSync(`${root}/${name}`, size);
    // Longer than what ext4 keeps within the inode: a block of its own that stat counts.
    t.ok(setXattr(`${root}/${name}`, 'user.long', Buffer.alloc(1000, 7)));
    t.ok(statSync(`${root}/${name}`).blocks * 512 >= size);
  }
  const repository = await repositoryFor(t);
  const { snapshotId } = await backup(repository, request(root));
  const entries = await storedEntries(repository, snapshotId);
  t.same(entries.get('end')?.extras?.holes, [12_288, 1538]);
  t.same(entries.get('nothing')?.extras?.holes, [0, 4000]);
  t.equal(entries.get('full')?.extras?.holes, undefined);
});
