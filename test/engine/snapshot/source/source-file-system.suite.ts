// What every SourceFileSystem promises; native and portable both enrol.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';

import type { Test } from 'tap';

import { allocateArena } from '#engine/base/arena.ts';
import type {
  SourceDirectory,
  SourceFileSystem,
} from '#engine/snapshot/source/source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';

import { makeOddTree, ODD_NAMES } from './odd-tree.ts';

function positionOf(names: SourceListing, name: string | Uint8Array): number {
  const wanted = Buffer.from(name);
  const index = names.order.find(at => wanted.equals(names.nameAt(at)));
  if (index === undefined) throw new Error(`${wanted.toString()} is not listed`);
  return index;
}

/** Root may read everything: becomes nobody for a while. Others stay who they are. */
function asUnprivilegedUser(work: () => void): void {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

/** All that a file system says about a directory, as text that can be compared. */
export function describe(fileSystem: SourceFileSystem, path: string): string[] {
  const names = new SourceListing();
  const stat = new SourceStat();
  const lines: string[] = [];
  using root = fileSystem.openRoot(path, { followsLinks: false });
  fileSystem.list(root, names);
  for (const index of names.order) {
    fileSystem.statAt(root, names, index, stat);
    let line = `${Buffer.from(names.nameAt(index)).toString('hex')} ${names.typeAt(index)} `;
    line += `${JSON.stringify(stat)} ${stat.inode}`;
    if (stat.type === ENTRY_TYPE.symlink) {
      line += ` -> ${Buffer.from(fileSystem.readLink(root, names, index)).toString('hex')}`;
    }
    if (stat.type === ENTRY_TYPE.file) {
      using file = fileSystem.openFile(root, names, index);
      fileSystem.statOpen(file, stat);
      const arena = allocateArena(300);
      const length = fileSystem.read(file, arena, { targetOffset: 7, length: 200 });
      line += ` ${JSON.stringify(stat)} ${Buffer.from(arena.bytes).toString('hex')} ${length}`;
    }
    lines.push(line);
  }
  return lines;
}

export function sourceFileSystemSuite(t: Test, open: () => SourceFileSystem): void {
  const fileSystem = open();
  const listed = (path: string) => {
    const root = fileSystem.openRoot(path, { followsLinks: false });
    const names = new SourceListing();
    fileSystem.list(root, names);
    return { root, names, [Symbol.dispose]: () => root[Symbol.dispose]() };
  };

  t.test('every name of bytes survives listing and opening', async t => {
    await using tree = await makeOddTree(t.testdir({}));
    const { path } = tree;
    using opened = listed(path);
    const { root, names } = opened;
    const arena = allocateArena(512);
    for (const name of ODD_NAMES) {
      const index = positionOf(names, name);
      using file = fileSystem.openFile(root, names, index);
      const length = fileSystem.read(file, arena, { targetOffset: 0, length: 512 });
      t.same(Buffer.from(arena.bytes.subarray(0, length)), name);
    }
  });

  t.test('directories come first, then all else, each by bytes', async t => {
    const path = t.testdir({ b: '', B: '', 'a.d': {}, z: {}, a: '', 'a.': '', _: {} });
    using opened = listed(path);
    const { names } = opened;
    t.same(
      [...names.order].map(at => names.textAt(at)),
      ['_', 'a.d', 'z', 'B', 'a', 'a.', 'b'],
    );
    t.equal(names.directoryCount, 3);
  });

  t.test(
    'types of links, pipes and sockets are told, and opening a pipe does not block',
    async t => {
      await using tree = await makeOddTree(t.testdir({}));
      const { path } = tree;
      using opened = listed(path);
      const { root, names } = opened;
      const types = ['fifo', 'socket', 'dangling', 'loop', 'empty', 'plain'].map(name =>
        names.typeAt(positionOf(names, name)),
      );
      t.same(types, [
        ENTRY_TYPE.fifo,
        ENTRY_TYPE.socket,
        ENTRY_TYPE.symlink,
        ENTRY_TYPE.symlink,
        ENTRY_TYPE.directory,
        ENTRY_TYPE.file,
      ]);
      using pipe = fileSystem.openFile(root, names, positionOf(names, 'fifo'));
      const stat = new SourceStat();
      fileSystem.statOpen(pipe, stat);
      t.equal(stat.type, ENTRY_TYPE.fifo);
    },
  );

  t.test('permissions have setuid, setgid and sticky; times before 1970 are whole', async t => {
    await using tree = await makeOddTree(t.testdir({}));
    const { path } = tree;
    using opened = listed(path);
    const { root, names } = opened;
    const stat = new SourceStat();
    fileSystem.statAt(root, names, positionOf(names, 'special'), stat);
    t.equal(stat.permissions, 0o7751);
    fileSystem.statAt(root, names, positionOf(names, 'old'), stat);
    t.same([stat.mtimeSeconds, stat.mtimeNanoseconds], [-2, 500_000_000]);
  });

  t.test('a link is neither followed as a file nor as a directory', async t => {
    const path = t.testdir({ file: 'x', folder: {} });
    symlinkSync('file', `${path}/file-link`);
    symlinkSync('folder', `${path}/folder-link`);
    using opened = listed(path);
    const { root, names } = opened;
    const file = positionOf(names, 'file-link');
    t.throws(() => fileSystem.openFile(root, names, file), { code: 'SOURCE_CHANGED' });
    const folder = positionOf(names, 'folder-link');
    t.throws(() => fileSystem.openDirectory(root, names, folder), { code: 'SOURCE_CHANGED' });
    const notLink = positionOf(names, 'file');
    t.throws(() => fileSystem.readLink(root, names, notLink), { code: 'SOURCE_CHANGED' });
  });

  t.test('a root may be reached through a link only when that was asked for', async t => {
    const path = t.testdir({ folder: { x: '' }, file: '' });
    symlinkSync('folder', `${path}/link`);
    using root = fileSystem.openRoot(`${path}/link`, { followsLinks: true });
    const names = new SourceListing();
    fileSystem.list(root, names);
    t.equal(names.textAt(0), 'x');
    for (const name of ['link', 'file', 'missing']) {
      const attempt = () => fileSystem.openRoot(`${path}/${name}`, { followsLinks: false });
      t.throws(attempt, { code: 'SOURCE_NOT_FOUND' });
    }
  });

  t.test('what vanished is told by name, errno and code', async t => {
    const path = t.testdir({ 'gone\n': '', folder: {} });
    using opened = listed(path);
    const { root, names } = opened;
    unlinkSync(`${path}/gone\n`);
    rmSync(`${path}/folder`, { recursive: true });
    const expected = {
      code: 'SOURCE_VANISHED',
      details: { errno: 'ENOENT', path: `${path}/gone\\x0a` },
    };
    const gone = positionOf(names, 'gone\n');
    t.throws(() => fileSystem.openFile(root, names, gone), expected);
    t.throws(() => fileSystem.statAt(root, names, gone, new SourceStat()), expected);
    t.throws(() => fileSystem.readLink(root, names, gone), expected);
    const folder = positionOf(names, 'folder');
    t.throws(() => fileSystem.openDirectory(root, names, folder), { code: 'SOURCE_VANISHED' });
  });

  t.test('reading sees a file grow and shrink, and survives its removal', async t => {
    const path = t.testdir({ file: 'abcdef' });
    using opened = listed(path);
    const { root, names } = opened;
    const arena = allocateArena(100);
    using file = fileSystem.openFile(root, names, 0);
    const read = (position?: number) =>
      fileSystem.read(file, arena, { targetOffset: 10, length: 90, position });
    t.equal(read(), 6);
    t.equal(read(), 0);
    appendFileSync(`${path}/file`, 'ghi');
    t.equal(read(), 3);
    t.equal(Buffer.from(arena.bytes.subarray(10, 13)).toString(), 'ghi');
    truncateSync(`${path}/file`, 2);
    t.equal(read(), 0);
    t.equal(read(1), 1);
    unlinkSync(`${path}/file`);
    t.equal(read(0), 2);
    const stat = new SourceStat();
    fileSystem.statOpen(file, stat);
    t.same([stat.size, stat.linkCount], [2, 0]);
  });

  t.test('reading refuses a range outside the arena', async t => {
    const path = t.testdir({ file: 'abcdef' });
    using opened = listed(path);
    const { root, names } = opened;
    using file = fileSystem.openFile(root, names, 0);
    const arena = allocateArena(100);
    const range = { targetOffset: 50, length: 51 };
    t.throws(() => fileSystem.read(file, arena, range), RangeError);
  });

  t.test('a directory that was opened as a file cannot be read, and says so', async t => {
    const path = t.testdir({ folder: {} });
    using opened = listed(path);
    const { root, names } = opened;
    using file = fileSystem.openFile(root, names, 0);
    const attempt = () => fileSystem.read(file, allocateArena(64), { targetOffset: 0, length: 64 });
    const details = { errno: 'EISDIR', path: `${path}/folder` };
    t.throws(attempt, { code: 'SOURCE_UNREADABLE', details });
  });

  t.test('a tree that is deeper than the longest path can be walked', async t => {
    const path = t.testdir({});
    const name = 'd'.repeat(200);
    const depth = 25;
    // Deeper than mkdir can be told in one path, so a shell walks down.
    const steps = `for i in $(seq ${depth}); do mkdir ${name}; cd ${name}; done`;
    const script = `cd "$1"; ${steps}; echo x >end`;
    execFileSync('bash', ['-c', script, 'bash', path]);
    const open: SourceDirectory[] = [fileSystem.openRoot(path, { followsLinks: false })];
    for (let level = 0; level <= depth; level++) {
      const names = new SourceListing();
      const directory = open[level];
      fileSystem.list(directory, names);
      if (level < depth) {
        open.push(fileSystem.openDirectory(directory, names, 0));
        continue;
      }
      using file = fileSystem.openFile(directory, names, 0);
      t.equal(Buffer.from(file.path).toString(), `${path}${`/${name}`.repeat(depth)}/end`);
      t.equal(fileSystem.read(file, allocateArena(64), { targetOffset: 0, length: 64 }), 2);
    }
    for (const handle of open) handle[Symbol.dispose]();
    execFileSync('rm', ['-rf', `${path}/${name}`]);
  });

  t.test('20,000 names in one directory are all there, in order, once', async t => {
    // In memory where there is such a place: disks took seconds to make them.
    const path = mkdtempSync(`${existsSync('/dev/shm') ? '/dev/shm' : tmpdir()}/stevedore-names-`);
    t.teardown(() => rmSync(path, { recursive: true }));
    for (let i = 0; i < 20_000; i++) writeFileSync(`${path}/name-${(i * 7919) % 20_000}`, '');
    using opened = listed(path);
    const { root, names } = opened;
    for (let again = 0; again < 2; again++) {
      const found = [...names.order].map(at => names.textAt(at));
      t.equal(found.length, 20_000);
      t.ok(found.join() === [...new Set(found)].sort().join());
      fileSystem.list(root, names);
    }
  });

  t.test('closing twice closes once', async t => {
    const path = t.testdir({ file: 'x' });
    const { root, names } = listed(path);
    const file = fileSystem.openFile(root, names, 0);
    const { descriptor } = file;
    file[Symbol.dispose]();
    const other = fileSystem.openFile(root, names, 0);
    t.equal(other.descriptor, descriptor);
    file[Symbol.dispose]();
    t.equal(fileSystem.read(other, allocateArena(64), { targetOffset: 0, length: 64 }), 1);
    other[Symbol.dispose]();
    root[Symbol.dispose]();
    t.throws(() => fileSystem.list(root, names), { code: 'INTERNAL' });
  });

  t.test('what may not be read is told as such', async t => {
    const path = t.testdir({ secret: 'x', closed: { x: '' }, foreign: 'x' });
    chmodSync(`${path}/secret`, 0);
    chmodSync(`${path}/closed`, 0);
    using opened = listed(path);
    const { root, names } = opened;
    const denied = { code: 'SOURCE_UNREADABLE', details: { errno: 'EACCES' } };
    const [secret, closed, foreign] = ['secret', 'closed', 'foreign'].map(name =>
      positionOf(names, name),
    ) as [number, number, number]; // map keeps the length
    asUnprivilegedUser(() => {
      t.throws(() => fileSystem.openFile(root, names, secret), denied);
      t.throws(() => fileSystem.openDirectory(root, names, closed), denied);
      // Who is not the owner may not leave the access time alone, but may read.
      using file = fileSystem.openFile(root, names, foreign);
      t.equal(fileSystem.read(file, allocateArena(64), { targetOffset: 0, length: 64 }), 1);
    });
  });

  t.test('a child is opened by a name that was not listed', async t => {
    const path = t.testdir({});
    mkdirSync(`${path}/a`);
    using root = fileSystem.openRoot(Buffer.from(path), { followsLinks: false });
    const names = new SourceListing();
    const index = names.add(Buffer.from('a'), ENTRY_TYPE.directory);
    using child = fileSystem.openDirectory(root, names, index);
    fileSystem.list(child, names);
    t.equal(names.count, 0);
  });
}
