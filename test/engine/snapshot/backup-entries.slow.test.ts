// What kopia's directories cannot say of entries: several names of one file, entries that are no
// files, names that are no text.

import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { isNativeAvailable } from '#engine/base/native.ts';
import { backup } from '#engine/operations.ts';
import { resolveSnapshot } from '#engine/snapshot/snapshots.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { setXattr } from '#test/support/set-attributes.ts';
import { storedEntries } from '#test/support/stored-extras.ts';
import { large, repositoryFor, request } from './backup-scene.ts';

const isRoot = process.getuid?.() === 0;

t.test('names of one file are known as such and read once', async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(`${root}/b`, { recursive: true });
  writeFileSync(`${root}/small`, 'x'.repeat(5000));
  linkSync(`${root}/small`, `${root}/twin`);
  linkSync(`${root}/small`, `${root}/b/triplet`);
  writeFileSync(`${root}/large`, large);
  linkSync(`${root}/large`, `${root}/b/large`);
  linkSync(`${root}/large`, `${root}/other`);
  symlinkSync('small', `${root}/link`);
  linkSync(`${root}/link`, `${root}/b/link`);
  writeFileSync(`${root}/outside`, 'outside');
  linkSync(`${root}/outside`, `${root}/../elsewhere`);
  writeFileSync(`${root}/single`, 'single');
  const repository = await repositoryFor(t, { threads: 1 });
  const { control } = repository.parts;
  const outcome = await backup(repository, request(root));
  t.strictSame(outcome.skipped, []);
  t.equal(outcome.files, 8);
  t.equal(control.total('bytesRead'), 5000 + large.length + 7 + 6);
  t.equal(outcome.bytesRead, control.total('bytesRead'), 'as the outcome says');
  const { stats } = await resolveSnapshot(repository.manifests, outcome.snapshotId, {});
  t.equal(stats.totalBytes, outcome.bytes, 'while kopia counts all names');
  const entries = await storedEntries(repository, outcome.snapshotId);
  const group = (path: string) => entries.get(path)?.extras?.linkGroup;
  t.ok(group('small'));
  t.strictSame([group('twin'), group('b/triplet')], [group('small'), group('small')]);
  t.ok(group('large') && group('large') !== group('small'));
  t.strictSame([group('b/large'), group('other')], [group('large'), group('large')]);
  t.ok(group('link') && group('b/link') === group('link'));
  t.ok(group('outside'), 'its other name is not in the snapshot');
  t.equal(entries.get('single')?.extras, undefined);
  const objects = ['large', 'b/large', 'other'].map(path => entries.get(path)?.entry.objectId);
  t.equal(new Set(objects).size, 1);
  const again = await backup(repository, request(root));
  t.equal(again.rootObjectId, outcome.rootObjectId);
});

t.test('large files with several names come out the same whatever the threads do', async t => {
  const root = `${fastDirectory(t)}/tree`;
  for (let index = 0; index < 20; index++) {
    mkdirSync(`${root}/d${index}`, { recursive: true });
    if (index === 0) writeFileSync(`${root}/d0/large`, large);
    else linkSync(`${root}/d0/large`, `${root}/d${index}/large`);
  }
  const repository = await repositoryFor(t, { threads: 4 });
  const outcome = await backup(repository, request(root));
  t.match(outcome, { files: 20, bytes: 20 * large.length, skipped: [] });
  const entries = await storedEntries(repository, outcome.snapshotId);
  const ids = [...entries.values()].filter(({ entry }) => entry.type === 'f');
  t.equal(new Set(ids.map(({ entry }) => entry.objectId)).size, 1);
});

t.test('pipes, sockets and devices stand beside the entries', async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(`${root}/inner`, { recursive: true });
  writeFileSync(`${root}/file`, 'file');
  execFileSync('mkfifo', ['-m', '640', `${root}/inner/pipe`]);
  execFileSync('touch', ['-d', '2001-02-03T04:05:06.789Z', `${root}/inner/pipe`]);
  // A process that exits unlinks its socket, so it is moved away from its name in time.
  const serve = `const s=require('net').createServer().listen(process.argv[1],()=>{
    require('fs').renameSync(process.argv[1], process.argv[2]); process.exit() })`;
  spawnSync(process.execPath, ['-e', serve, `${root}/s`, `${root}/socket`]);
  const hasDevices =
    isRoot &&
    spawnSync('mknod', [`${root}/zero`, 'c', '1', '5']).status === 0 &&
    spawnSync('mknod', [`${root}/disk`, 'b', '259', '70000']).status === 0;
  if (!hasDevices) t.comment('skipped: devices cannot be made here');
  const repository = await repositoryFor(t);
  const outcome = await backup(repository, request(root));
  t.match(outcome, { files: 1, skipped: [] });
  const stored = await storedEntries(repository, outcome.snapshotId);
  const [pipe] = stored.get('inner')?.directory?.special ?? [];
  t.match(pipe, { name: 'pipe', type: 'p', mode: 0o640, mtimeSeconds: 981_173_106 });
  t.equal(pipe.mtimeNanoseconds, 789_000_000);
  const special = stored.get('')?.directory?.special ?? [];
  const devices = hasDevices
    ? [
        { name: 'disk', type: 'b', major: 259, minor: 70_000 },
        { name: 'socket', type: 'k' },
        { name: 'zero', type: 'c', major: 1, minor: 5 },
      ]
    : [{ name: 'socket', type: 'k' }];
  t.match(special, devices, 'by name');
  const second = await backup(repository, request(root));
  const third = await backup(repository, request(root));
  t.equal(second.rootObjectId, outcome.rootObjectId);
  t.equal(third.rootObjectId, outcome.rootObjectId);
  if (isRoot && isNativeAvailable()) {
    t.ok(setXattr(`${root}/inner/pipe`, 'trusted.a', Uint8Array.of(1)));
    const fourth = await backup(repository, request(root));
    const later = await storedEntries(repository, fourth.snapshotId);
    t.match(later.get('inner')?.directory?.special[0]?.extras?.xattrs, [{ name: 'trusted.a' }]);
  }
  renameSync(`${root}/inner/pipe`, `${root}/inner/tube`);
  const renamed = await backup(repository, request(root));
  const now = await storedEntries(repository, renamed.snapshotId);
  t.match(now.get('inner')?.directory?.special, [{ name: 'tube' }]);
  rmSync(`${root}/inner/tube`);
  const last = await backup(repository, request(root));
  const without = await storedEntries(repository, last.snapshotId);
  t.strictSame(without.get('inner')?.directory?.special ?? [], []);
});

t.test('names that are not UTF-8 have their bytes, and are found again by them', async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(root);
  const names = [
    Buffer.from([0x61, 0xff]),
    Buffer.from([0x61, 0xfe]),
    Buffer.from('a\ufffd'),
    Buffer.from([0x80]),
    Buffer.from('é'),
  ];
  for (const name of names) {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), name);
    mkdirSync(Buffer.concat([Buffer.from(`${root}/d`), name]));
  }
  execFileSync('mkfifo', [Buffer.concat([Buffer.from(`${root}/p`)]).toString()]);
  const repository = await repositoryFor(t);
  const outcome = await backup(repository, request(root));
  t.match(outcome, { files: 5, directories: 6, skipped: [] });
  const entries = await storedEntries(repository, outcome.snapshotId);
  for (const name of names) {
    const isText = Buffer.from(name.toString()).equals(name);
    const key = (bytes: Buffer) => (isText ? bytes.toString() : bytes.toString('hex'));
    t.equal(entries.get(key(name))?.entry.bytes, name.length, key(name));
    t.equal(entries.get(key(Buffer.concat([Buffer.from('d'), name])))?.entry.type, 'd');
  }
  await backup(repository, request(root));
  const before = repository.parts.control.total('filesReused');
  const again = await backup(repository, request(root));
  t.equal(again.rootObjectId, outcome.rootObjectId);
  t.equal(repository.parts.control.total('filesReused') - before, 5);
});
