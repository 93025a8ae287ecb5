// What a TargetFileSystem promises about names and bytes; native and portable both enrol.

import {
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';

import type { Test } from 'tap';

import { allocateArena } from '#engine/base/arena.ts';
import { compareBytes } from '#engine/base/bytes.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';

import { TargetScene, bytesOf, wish } from './target-scene.ts';

const UNSAFE = ['', '.', '..', 'a/b', '/', '/etc/passwd', '../up', 'nul\0', 'a\0/../b'];

export function targetFileSystemSuite(t: Test, native: boolean): void {
  const open = (): TargetScene => new TargetScene({ native });

  t.test('a file is made once, with its bytes, and never replaced', async t => {
    using scene = open();
    t.same(
      scene.file('a', 'hello').filter(({ attribute }) => attribute !== 'mtime'),
      [],
    );
    t.equal(readFileSync(scene.inside('a'), 'utf8'), 'hello');
    t.throws(() => scene.file('a', 'other'), { code: 'TARGET_NOT_EMPTY' });
    t.equal(readFileSync(scene.inside('a'), 'utf8'), 'hello');
  });

  t.test('no name that means another directory gets through, whatever is asked', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    const special = { type: 'p', mode: 0o600, major: 0, minor: 0 } as const;
    const listing = (): string[] => [...readdirSync(scene.inside('')), ...scene.outsiders()];
    for (const text of UNSAFE) {
      const name = bytesOf(text);
      const good = bytesOf('good');
      const calls = [
        () => fileSystem.createFile(root, name, wish()),
        () => fileSystem.openFile(root, name),
        () => fileSystem.openNode(root, name),
        () => fileSystem.makeDirectory(root, name),
        () => fileSystem.openDirectory(root, name),
        () => fileSystem.makeSymlink(root, name, good),
        () => fileSystem.makeSpecial(root, name, special),
        () => fileSystem.makeHardLink(root, name, root, good),
        () => fileSystem.makeHardLink(root, good, root, name),
        () => fileSystem.remove(root, name),
        () => fileSystem.removeDirectory(root, name),
        () => fileSystem.readLink(root, name),
        () => fileSystem.statAt(root, name, new TargetStat()),
      ];
      for (const [index, call] of calls.entries()) {
        const title = `${JSON.stringify(text)}, call ${index}`;
        t.throws(call, { code: 'TARGET_NAME_UNSAFE' }, title);
      }
    }
    t.same(listing(), []);
  });

  t.test('every name of bytes that a file system takes can be made', async t => {
    using scene = open();
    const names = [
      Buffer.from([0xff, 0xfe]),
      Buffer.from('...'),
      Buffer.from('-rf'),
      Buffer.from(' \n\\'),
      Buffer.from('ü'),
      Buffer.alloc(255, 'x'),
    ];
    for (const name of names) {
      scene.fileSystem.createFile(scene.root, name, wish())[Symbol.dispose]();
    }
    const found = readdirSync(scene.inside(''), { encoding: 'buffer' });
    t.same(found.sort(compareBytes), names.sort(compareBytes));
    const tooLong = Buffer.alloc(256, 'x');
    const attempt = () => scene.fileSystem.createFile(scene.root, tooLong, wish());
    t.throws(attempt, { code: 'TARGET_ENTRY_FAILED', details: { errno: 'ENAMETOOLONG' } });
    const far = Buffer.alloc(5000, 'x');
    t.throws(() => scene.fileSystem.makeDirectory(scene.root, far), {
      code: 'TARGET_ENTRY_FAILED',
    });
  });

  t.test('whatever has the name, a file is not written through it', async t => {
    using scene = open();
    writeFileSync(scene.outside('victim'), 'precious');
    symlinkSync('../victim', scene.inside('link'));
    symlinkSync('nowhere', scene.inside('dangling'));
    symlinkSync('/dev/null', scene.inside('absolute'));
    linkSync(scene.outside('victim'), scene.inside('hard'));
    execFileSync('mkfifo', [scene.inside('pipe')]);
    mkdirSync(scene.inside('directory'));
    const server = createServer().listen(scene.inside('socket'));
    await once(server, 'listening');
    const names = ['link', 'dangling', 'absolute', 'hard', 'pipe', 'directory', 'socket'];
    for (const name of names) {
      t.throws(() => scene.file(name, 'evil'), { code: 'TARGET_NOT_EMPTY' }, name);
      t.equal(scene.fileSystem.openFile(scene.root, bytesOf(name)), undefined, name);
    }
    t.equal(readFileSync(scene.outside('victim'), 'utf8'), 'precious');
    const gone = names.filter(name => name !== 'directory');
    for (const name of gone) t.ok(scene.fileSystem.remove(scene.root, bytesOf(name)), name);
    t.same(readdirSync(scene.inside('')), ['directory']);
    t.equal(readFileSync(scene.outside('victim'), 'utf8'), 'precious');
    server.close();
  });

  t.test('a file that has several names is written in place only when told', async t => {
    using scene = open();
    writeFileSync(scene.inside('a'), 'one');
    linkSync(scene.inside('a'), scene.inside('b'));
    t.equal(scene.fileSystem.openFile(scene.root, bytesOf('a')), undefined);
    const options = { allowsSeveralNames: true };
    using file = scene.fileSystem.openFile(scene.root, bytesOf('a'), options);
    if (!file) throw new Error('it was not opened');
    scene.write(file, 'two');
    t.equal(readFileSync(scene.inside('b'), 'utf8'), 'two');
  });

  t.test('a file that is there is read, written, cut off and lengthened in place', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    writeFileSync(scene.inside('a'), 'abcdef');
    t.equal(fileSystem.openFile(root, bytesOf('none')), undefined);
    using file = fileSystem.openFile(root, bytesOf('a'));
    if (!file) throw new Error('it was not opened');
    const arena = allocateArena(100);
    t.equal(fileSystem.read(file, arena, { offset: 10, length: 90, position: 2 }), 4);
    t.equal(Buffer.from(arena.bytes.subarray(10, 14)).toString(), 'cdef');
    scene.write(file, 'XY', 1);
    fileSystem.setSize(file, 4);
    t.equal(readFileSync(scene.inside('a'), 'utf8'), 'aXYd');
    fileSystem.setSize(file, 6);
    t.equal(readFileSync(scene.inside('a'), 'latin1'), 'aXYd\0\0');
    fileSystem.punchHoles(file, [1, 2, 5, 1000, 4000, 10]);
    t.equal(readFileSync(scene.inside('a'), 'latin1'), 'a\0\0d\0\0');
  });

  t.test('ranges are copied from file to file, and less only at the end', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    const text = 'x'.repeat(300_000) + 'y'.repeat(300_000);
    writeFileSync(scene.inside('from'), text);
    using from = fileSystem.openFile(root, bytesOf('from'));
    using to = fileSystem.createFile(root, bytesOf('to'), wish());
    if (!from) throw new Error('it was not opened');
    const copy = { fromPosition: 1, toPosition: 5, length: 599_000 };
    t.equal(fileSystem.copyRange(from, to, copy), 599_000);
    t.equal(readFileSync(scene.inside('to'), 'latin1'), '\0'.repeat(5) + text.slice(1, 599_001));
    const beyond = { fromPosition: 599_990, toPosition: 0, length: 100 };
    t.equal(fileSystem.copyRange(from, to, beyond), 10);
  });

  t.test('a directory is made or kept; anything else that has the name is an error', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    t.equal(fileSystem.makeDirectory(root, bytesOf('a')), 'made');
    t.equal(scene.stat('a').mode & 0o777n, 0o700n);
    t.equal(fileSystem.makeDirectory(root, bytesOf('a')), 'kept');
    mkdirSync(scene.outside('other'));
    symlinkSync('../other', scene.inside('link'));
    writeFileSync(scene.inside('file'), '');
    for (const name of ['link', 'file']) {
      const attempt = () => fileSystem.makeDirectory(root, bytesOf(name));
      t.throws(attempt, { code: 'TARGET_NOT_EMPTY' });
      const opening = () => fileSystem.openDirectory(root, bytesOf(name));
      t.throws(opening, { code: 'TARGET_NAME_UNSAFE' });
    }
    t.throws(() => fileSystem.remove(root, bytesOf('a')), { code: 'TARGET_NOT_EMPTY' });
    fileSystem.removeDirectory(root, bytesOf('a'));
    t.same(readdirSync(scene.inside('')).sort(), ['file', 'link']);
  });

  t.test('links keep the bytes of what they say, and a NUL in them is refused', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    const target = Buffer.from([0xff, 0x2f, 0x2e, 0x2e, 0x20]);
    fileSystem.makeSymlink(root, bytesOf('link'), target);
    t.same(readlinkSync(scene.inside('link'), 'buffer'), target);
    t.same(fileSystem.readLink(root, bytesOf('link')), new Uint8Array(target));
    t.equal(fileSystem.readLink(root, bytesOf('none')), undefined);
    writeFileSync(scene.inside('file'), '');
    t.equal(fileSystem.readLink(root, bytesOf('file')), undefined);
    const attempt = () => fileSystem.makeSymlink(root, bytesOf('evil'), bytesOf('a\0b'));
    t.throws(attempt, { code: 'TARGET_ENTRY_FAILED', details: { errno: 'EINVAL' } });
    t.notOk(readdirSync(scene.inside('')).includes('evil'));
  });

  t.test('a hard link to a symbolic link is a second name of the link', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    writeFileSync(scene.outside('victim'), '');
    symlinkSync('../victim', scene.inside('link'));
    fileSystem.makeHardLink(root, bytesOf('link'), root, bytesOf('second'));
    t.equal(readlinkSync(scene.inside('second')), '../victim');
    t.equal(scene.stat('second').ino, scene.stat('link').ino);
    const again = () => fileSystem.makeHardLink(root, bytesOf('link'), root, bytesOf('second'));
    t.throws(again, { code: 'TARGET_NOT_EMPTY' });
    const missing = () => fileSystem.makeHardLink(root, bytesOf('none'), root, bytesOf('third'));
    t.throws(missing, { code: 'TARGET_ENTRY_FAILED', details: { errno: 'ENOENT' } });
  });

  t.test('names and metadata are told as they are', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    mkdirSync(scene.inside('directory'));
    writeFileSync(scene.inside('file'), 'abc', { mode: 0o640 });
    const listing = new SourceListing();
    fileSystem.list(root, listing);
    t.same(
      [...listing.order].map(at => listing.textAt(at)),
      ['directory', 'file'],
    );
    const stat = new TargetStat();
    t.ok(fileSystem.statAt(root, bytesOf('file'), stat));
    const { ino, mtimeNs } = scene.stat('file');
    t.match(stat, { size: 3, permissions: 0o640, linkCount: 1, isFile: true });
    t.equal(BigInt(stat.inodeHigh) * 2n ** 32n + BigInt(stat.inodeLow), ino);
    t.equal(BigInt(stat.mtimeSeconds) * 10n ** 9n + BigInt(stat.mtimeNanoseconds), mtimeNs);
    t.notOk(fileSystem.statAt(root, bytesOf('none'), stat));
  });

  t.test('the target may be reached through a link; below it none is followed', async t => {
    using scene = open();
    symlinkSync('target', scene.outside('alias'));
    using root = scene.fileSystem.openRoot(bytesOf(scene.outside('alias')));
    scene.fileSystem.makeDirectory(root, bytesOf('a'));
    t.same(readdirSync(scene.inside('')), ['a']);
    const refused = { code: 'TARGET_NOT_WRITABLE' };
    for (const path of ['', 'a\0b', scene.outside('none'), '/dev/null']) {
      t.throws(() => scene.fileSystem.openRoot(bytesOf(path)), refused);
    }
  });

  t.test('what was closed is not used again', async t => {
    using scene = open();
    const file = scene.fileSystem.createFile(scene.root, bytesOf('a'), wish());
    const { descriptor } = file;
    file[Symbol.dispose]();
    using other = scene.fileSystem.createFile(scene.root, bytesOf('b'), wish());
    t.equal(other.descriptor, descriptor);
    file[Symbol.dispose]();
    scene.write(other, 'still open');
    t.throws(() => scene.write(file, 'x'), { code: 'INTERNAL' });
    t.equal(readFileSync(scene.inside('b'), 'utf8'), 'still open');
  });

  t.test('an entry in a directory that was removed fails alone', async t => {
    using scene = open();
    const { fileSystem, root } = scene;
    fileSystem.makeDirectory(root, bytesOf('a'));
    using directory = fileSystem.openDirectory(root, bytesOf('a'));
    fileSystem.removeDirectory(root, bytesOf('a'));
    try {
      fileSystem.createFile(directory, bytesOf('b'), wish());
      t.fail('it was made');
    } catch (error) {
      t.ok(isOfOneEntry(error));
      t.match(error, {
        details: { errno: 'ENOENT', path: scene.inside('a/b').replace('//', '/') },
      });
    }
    t.equal(fileSystem.remove(root, bytesOf('a')), false);
  });
}
