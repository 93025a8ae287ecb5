// Run by mounted-targets.test.ts in a mount namespace.

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';

import { allocateArena } from '#engine/base/arena.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { removeTree } from '#engine/snapshot/target/remove-tree.ts';
import { settleAt } from '#engine/snapshot/target/settle-node.ts';
import { settleDirectory, settleFile } from '#engine/snapshot/target/settle-open.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import { TargetDirectories } from '#engine/snapshot/target/target-directories.ts';
import { TargetFileSystem } from '#engine/snapshot/target/target-file-system.ts';
import { KEEP_ALL } from '#engine/snapshot/target/wanted-attributes.ts';

import { IMAGES, bindMount, makeDirectoryThere, mountImage, mountVirtual } from './mounts.ts';
import {
  SAMPLE_ACL,
  SAMPLE_CAPABILITY,
  TargetScene,
  bytesOf,
  wish,
  lacksAttributeTools,
  xattrsOf,
} from './target-scene.ts';
import { withoutOpenBeneath } from './without-open-beneath.ts';

const policy = KEEP_ALL;
const NODUMP = 0x40;
const NOATIME = 0x80;
const IMMUTABLE = 0x10;
const APPEND = 0x20;
const NO_COPY_ON_WRITE = 0x80_0000;
const PROJECT_INHERIT = 0x2000_0000;

const XATTRS = [
  { name: 'security.capability', value: SAMPLE_CAPABILITY },
  { name: 'system.posix_acl_access', value: SAMPLE_ACL },
  { name: 'trusted.t', value: bytesOf('t') },
  { name: 'user.u', value: bytesOf('u') },
];

function lsattr(path: string): string {
  return execFileSync('lsattr', ['-d', path]).toString().split(' ')[0];
}

/** What each of them cannot have, as it is named. */
const CASES = [
  { name: 'ext4', lacks: ['projectId'] },
  { name: 'xfs', lacks: [] },
  { name: 'btrfs', lacks: ['projectId'] },
] as const;

for (const { name, lacks } of CASES) {
  const mounted = mountImage(IMAGES[name]);
  if ('reason' in mounted) {
    t.test(name, { skip: `it cannot be mounted: ${mounted.reason}` }, async () => undefined);
    continue;
  }
  t.test(name, async t => fullAttributes(t, mounted.path, lacks));
}

t.test('tmpfs', async t => fullAttributes(t, mountVirtual('tmpfs'), ['projectId']));

function fullAttributes(t: Test, path: string, lacks: readonly string[]): void {
  const open = () => new TargetScene({ path });

  t.test(
    'a file has everything, or what it lacks is named',
    { skip: lacksAttributeTools },
    async t => {
      using scene = open();
      const flags = NODUMP | NOATIME | APPEND | IMMUTABLE;
      const holes = [4096, 61_440];
      const extras = { xattrs: XATTRS, flags, projectId: 77, holes };
      const wanted = wish({ uid: 1000, gid: 1001, mode: 0o4640, extras });
      using file = scene.fileSystem.createFile(scene.root, bytesOf('a'), wanted);
      scene.fileSystem.setSize(file, 100_000);
      scene.write(file, 'begin');
      scene.write(file, 'x'.repeat(100_000 - 65_536), 65_536);
      const found = settleFile(scene.fileSystem, file, wanted, { policy, bytes: 100_000 });
      t.same(
        found.map(({ attribute }) => attribute),
        lacks,
      );
      // XFS shows an ACL a second time, in the form in which it stores it.
      const listed = xattrsOf(scene.inside('a')).filter(line => !line.includes('SGI_ACL'));
      t.equal(listed.length, 4);
      t.match(lsattr(scene.inside('a')), /ia.*d.*A/);
      t.ok(statSync(scene.inside('a')).blocks * 512 < 100_000);
      t.equal(statSync(scene.inside('a'), { bigint: true }).mtimeNs, 1700000000123456789n);
      // Everything that protects it gives way to what a restore wants next.
      using again = scene.fileSystem.openFile(scene.root, bytesOf('a'));
      if (!again) throw new Error('it was not opened');
      scene.fileSystem.setSize(again, 3);
      scene.write(again, 'new');
      t.same(settleFile(scene.fileSystem, again, wish({ mode: 0o600 }), { policy, bytes: 3 }), []);
      t.same(xattrsOf(scene.inside('a')), []);
      t.notMatch(lsattr(scene.inside('a')), /[iadA]/);
      execFileSync('chattr', ['+i', scene.inside('a')]);
      t.ok(scene.fileSystem.remove(scene.root, bytesOf('a')));
    },
  );

  t.test('a directory has everything; one that is protected is filled and removed', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    const xattrs = [...XATTRS.slice(2), { name: 'system.posix_acl_default', value: SAMPLE_ACL }];
    const extras = { xattrs, flags: NODUMP | IMMUTABLE, projectId: 77 };
    const wanted = wish({ uid: 5, mode: 0o3775, extras });
    fileSystem.makeDirectory(root, bytesOf('d'));
    using directory = fileSystem.openDirectory(root, bytesOf('d'));
    fileSystem.createFile(directory, bytesOf('x'), wish())[Symbol.dispose]();
    const found = settleDirectory(fileSystem, directory, wanted, { policy });
    t.same(
      found.map(({ attribute }) => attribute),
      lacks,
    );
    t.match(lsattr(scene.inside('d')), /i.*d/);
    t.throws(() => fileSystem.createFile(directory, bytesOf('y'), wish()), {
      code: 'TARGET_ENTRY_FAILED',
      details: { errno: 'EPERM' },
    });
    t.equal(fileSystem.makeDirectory(root, bytesOf('d')), 'kept');
    fileSystem.createFile(directory, bytesOf('y'), wish())[Symbol.dispose]();
    execFileSync('chattr', ['+i', scene.inside('d/x')]);
    execFileSync('chattr', ['+a', scene.inside('d/y'), scene.inside('d')]);
    t.equal(removeTree(fileSystem, root, bytesOf('d')), 3);
  });

  t.test('what protects a file stays on its other names when one is removed', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    fileSystem.makeDirectory(root, bytesOf('names'));
    using directory = fileSystem.openDirectory(root, bytesOf('names'));
    for (const [name, flag] of [
      ['immutable', 'i'],
      ['append-only', 'a'],
    ]) {
      const other = scene.inside(name);
      writeFileSync(other, 'precious');
      linkSync(other, scene.inside(`names/${name}`));
      execFileSync('chattr', [`+${flag}`, other]);
      t.ok(fileSystem.remove(directory, bytesOf(name)));
      t.equal(statSync(other).nlink, 1);
      t.match(lsattr(other), flag);
      execFileSync('chattr', [`-${flag}`, other]);
    }
    // It is the directory that forbids it.
    const kept = scene.inside('names/kept');
    writeFileSync(kept, 'kept');
    execFileSync('chattr', ['+i', kept, scene.inside('names')]);
    t.throws(() => fileSystem.remove(directory, bytesOf('kept')), { code: 'TARGET_ENTRY_FAILED' });
    t.match(lsattr(kept), 'i');
    execFileSync('chattr', ['-i', kept, scene.inside('names')]);
  });

  t.test('flags and projects that come from the directory do not stay', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    fileSystem.makeDirectory(root, bytesOf('d'));
    execFileSync('chattr', ['+dA', scene.inside('d')]);
    const hasProjects = lacks.length === 0;
    if (hasProjects) {
      using directory = fileSystem.openDirectory(root, bytesOf('d'));
      const { calls } = fileSystem;
      calls.setProjectId(directory, 99);
      calls.setFlags(directory, calls.getFlags(directory) | PROJECT_INHERIT);
    }
    using directory = fileSystem.openDirectory(root, bytesOf('d'));
    using file = fileSystem.createFile(directory, bytesOf('x'), wish());
    if (hasProjects) t.equal(fileSystem.calls.getProjectId(file), 99);
    t.same(settleFile(fileSystem, file, wish(), { policy, bytes: 0 }), []);
    t.notMatch(lsattr(scene.inside('d/x')), /[dA]/);
    if (hasProjects) t.equal(fileSystem.calls.getProjectId(file), 0);
    removeTree(fileSystem, root, bytesOf('d'));
  });

  t.test('links and pipes have what they can have', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    const xattrs = [{ name: 'trusted.t', value: bytesOf('t') }];
    const wanted = wish({ uid: 7, gid: 8, mode: 0o640, extras: { xattrs } });
    const linkTarget = bytesOf('x'.repeat(900));
    fileSystem.makeSymlink(root, bytesOf('l'), linkTarget);
    const link = { type: 'l', linkTarget } as const;
    // xfs puts long targets elsewhere; all of them keep the attribute.
    t.same(settleAt(fileSystem, root, bytesOf('l'), wanted, { policy, node: link }), []);
    const pipe = { type: 'p', major: 0, minor: 0 } as const;
    fileSystem.makeSpecial(root, bytesOf('p'), { ...pipe, mode: 0o640 });
    t.same(settleAt(fileSystem, root, bytesOf('p'), wanted, { policy, node: pipe }), []);
    const flagged = { ...wanted, extras: { xattrs, flags: NODUMP, projectId: 4 } };
    const found = settleAt(fileSystem, root, bytesOf('p'), flagged, { policy, node: pipe });
    t.same(
      found.map(({ attribute }) => attribute),
      ['projectId', 'flags'],
    );
  });
}

t.test('btrfs takes a file out of copy-on-write before its first byte', async t => {
  const mounted = mountImage(IMAGES.btrfs);
  if ('reason' in mounted) return t.comment(`btrfs cannot be mounted: ${mounted.reason}`);
  using scene = new TargetScene({ path: mounted.path });
  const wanted = wish({ extras: { flags: NO_COPY_ON_WRITE } });
  t.same(scene.file('a', 'some bytes', wanted), []);
  t.match(lsattr(scene.inside('a')), /C/);
});

t.test('a flag that a file system does not have does not keep the others away', async t => {
  using scene = new TargetScene({ path: mountVirtual('tmpfs') });
  const found = scene.file('a', '', wish({ extras: { flags: NODUMP | NO_COPY_ON_WRITE } }));
  t.match(found, [{ attribute: 'flags', expected: 'dC (0x800040)', found: /^d \(0x40\) \(/ }]);
});

t.test('times that an inode has no room for are named', async t => {
  const mounted = mountImage(IMAGES['ext4 with short inodes']);
  if ('reason' in mounted) return t.comment(`ext4 cannot be mounted: ${mounted.reason}`);
  using scene = new TargetScene({ path: mounted.path });
  t.same(scene.file('a', 'x'), [
    {
      attribute: 'mtime',
      expected: '2023-11-14T22:13:20.123456789Z',
      found: '2023-11-14T22:13:20Z',
    },
  ]);
  const late = wish({ mtimeSeconds: 5_000_000_000, mtimeNanoseconds: 0 });
  t.match(scene.file('b', 'x', late), [
    { attribute: 'mtime', expected: '2128-06-11T08:53:20Z', found: '2038-01-19T03:14:07Z' },
  ]);
});

t.test('a file system without attributes: what is wanted is named, the rest is silent', async t => {
  using scene = new TargetScene({ path: mountVirtual('ramfs') });
  t.same(scene.file('plain', 'x', wish({ uid: 9, mode: 0o4755 })), []);
  const found = scene.file('a', 'x', wish({ mode: 0o640, extras: { xattrs: XATTRS } }));
  t.same(
    found.map(({ attribute }) => attribute),
    XATTRS.map(({ name }) => `xattr:${name}`),
  );
  t.ok(
    found.every(({ found }) => found.startsWith('EOPNOTSUPP')),
    JSON.stringify(found),
  );
});

t.test('a full file system ends the restore, wherever it is noticed', async t => {
  for (const native of [true, false]) {
    using scene = new TargetScene({ path: mountVirtual('tmpfs', 'size=1m,nr_inodes=50'), native });
    const { fileSystem, root } = scene;
    const full = { code: 'TARGET_FULL', details: { errno: 'ENOSPC' } };
    {
      using file = fileSystem.createFile(root, bytesOf('big'), wish());
      const arena = allocateArena(2 << 20);
      arena.bytes.fill(1);
      const range = { offset: 0, length: 2 << 20, position: 0 };
      t.throws(() => fileSystem.write(file, arena, range), full);
    }
    fileSystem.remove(root, bytesOf('big'));
    const makeMany = () => {
      for (let i = 0; i < 100; i++) fileSystem.makeDirectory(root, bytesOf(`d${i}`));
    };
    t.throws(makeMany, full);
    t.throws(() => fileSystem.createFile(root, bytesOf('f'), wish()), full);
    t.throws(() => fileSystem.makeSymlink(root, bytesOf('l'), bytesOf('x'.repeat(200))), full);
  }
});

t.test('a quota that is used up ends the restore', async t => {
  const mounted = mountImage(IMAGES.btrfs);
  if ('reason' in mounted) return t.comment(`btrfs cannot be mounted: ${mounted.reason}`);
  execFileSync('btrfs', ['quota', 'enable', mounted.path]);
  execFileSync('btrfs', ['qgroup', 'limit', '1M', mounted.path]);
  using scene = new TargetScene({ path: mounted.path });
  using file = scene.fileSystem.createFile(scene.root, bytesOf('big'), wish());
  try {
    scene.write(file, 'x'.repeat(8 << 20));
    t.fail('it was written');
  } catch (error) {
    t.ok(isEngineError(error, 'TARGET_FULL'), String(error));
    t.match(error, { details: { errno: 'EDQUOT' } });
    t.notOk(isOfOneEntry(error));
  }
});

t.test('a target that is mounted read-only ends the restore', async t => {
  const path = makeDirectoryThere();
  writeFileSync(`${path}/old`, '');
  bindMount(path, path, 'ro');
  using scene = new TargetScene({ path });
  const { fileSystem, root } = scene;
  const refused = { code: 'TARGET_NOT_WRITABLE', details: { errno: 'EROFS' } };
  for (const call of [
    () => fileSystem.createFile(root, bytesOf('a'), wish()),
    () => fileSystem.makeDirectory(root, bytesOf('a')),
    () => fileSystem.makeSymlink(root, bytesOf('a'), bytesOf('b')),
    () => fileSystem.openFile(root, bytesOf('old')),
    () => fileSystem.remove(root, bytesOf('old')),
    () => settleDirectory(fileSystem, root, wish({ uid: 12 }), { policy }),
  ]) {
    t.throws(call, refused);
  }
});

t.test('a removal stops at what is mounted, another file system or the same', async t => {
  for (const hasOpenBeneath of [true, false]) {
    for (const isBind of [true, false]) {
      const path = makeDirectoryThere();
      mkdirSync(`${path}/precious`);
      writeFileSync(`${path}/precious/file`, 'precious');
      mkdirSync(`${path}/tree/a/mounted`, { recursive: true });
      if (isBind) bindMount(`${path}/precious`, `${path}/tree/a/mounted`);
      else execFileSync('mount', ['-t', 'tmpfs', 'none', `${path}/tree/a/mounted`]);
      if (!isBind) writeFileSync(`${path}/tree/a/mounted/file`, 'precious');
      using scene = new TargetScene({ path });
      const { calls } = scene.fileSystem;
      const fileSystem = new TargetFileSystem(hasOpenBeneath ? calls : withoutOpenBeneath(calls));
      const stopped = { code: 'TARGET_ENTRY_FAILED', details: { errno: 'EXDEV' } };
      t.throws(() => removeTree(fileSystem, scene.root, bytesOf('tree')), stopped);
      t.equal(readFileSync(`${path}/tree/a/mounted/file`, 'utf8'), 'precious');
      // A restore may go there: volumes are mounted into each other.
      using directories = new TargetDirectories(fileSystem, scene.root);
      t.ok(directories.at(['tree', 'a', 'mounted'].map(bytesOf)));
    }
  }
});

t.test('the portable removal stops there as well', async t => {
  const path = makeDirectoryThere();
  mkdirSync(`${path}/precious`);
  writeFileSync(`${path}/precious/file`, 'precious');
  mkdirSync(`${path}/tree`);
  symlinkSync('../precious', `${path}/tree/link`);
  mkdirSync(`${path}/tree/mounted`);
  bindMount(`${path}/precious`, `${path}/tree/mounted`);
  using scene = new TargetScene({ path, native: false });
  const attempt = () => removeTree(scene.fileSystem, scene.root, bytesOf('tree'));
  t.throws(attempt, { code: 'TARGET_ENTRY_FAILED', details: { errno: 'EXDEV' } });
  t.ok(existsSync(`${path}/precious/file`));
  t.same(readdirSync(`${path}/tree`), ['mounted']);
});
