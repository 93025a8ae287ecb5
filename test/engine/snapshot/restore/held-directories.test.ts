import fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { HeldDirectories } from '#engine/snapshot/restore/held-directories.ts';

const OPEN_MAX = 512;

/** Holds the root as 0 and one directory after another in it until the first of them are closed. */
function holdMany(root: string): HeldDirectories {
  const held = new HeldDirectories();
  held.holdRoot(0, root);
  for (let id = 1; id <= OPEN_MAX + 10; id++) {
    fs.mkdirSync(held.pathOf(0, `d${id}`));
    held.hold(id, 0, `d${id}`);
  }
  return held;
}

function releaseAll(held: HeldDirectories): void {
  for (let id = OPEN_MAX + 10; id >= 0; id--) held.release(id);
}

const openHandles = () => fs.readdirSync('/proc/self/fd').length;
const onLinux = { skip: process.platform !== 'linux' && 'needs /proc' };

t.test('handles are few, and all are given back', onLinux, t => {
  const before = openHandles();
  const held = holdMany(t.testdir());
  t.ok(openHandles() - before <= OPEN_MAX + 1);
  fs.writeFileSync(held.pathOf(1, 'file'), 'reached');
  t.equal(fs.readFileSync(join(t.testdirName, 'd1/file'), 'utf8'), 'reached');
  t.equal(fs.fstatSync(held.handleOf(2)).ino, fs.statSync(join(t.testdirName, 'd2')).ino);
  releaseAll(held);
  t.equal(openHandles(), before);
  t.end();
});

t.test('a directory that was replaced while it was closed is refused', t => {
  const root = t.testdir({ outside: {} });
  const held = holdMany(root);
  const swap = (name: string) => fs.renameSync(join(root, name), join(root, `${name}.moved`));
  swap('d1');
  fs.symlinkSync(join(root, 'outside'), join(root, 'd1'));
  swap('d2');
  fs.mkdirSync(join(root, 'd2'));
  swap('d3');
  t.throws(() => held.pathOf(1, 'file'), { code: /ELOOP|ENOTDIR/ }, 'a link');
  t.throws(() => held.pathOf(2, 'file'), { code: 'TARGET_NAME_UNSAFE' }, 'another directory');
  t.throws(() => held.handleOf(3), { code: 'ENOENT' }, 'nothing');
  releaseAll(held);
  t.end();
});

t.test('a link is not taken for a directory', t => {
  const root = t.testdir({ outside: {}, link: t.fixture('symlink', 'outside') });
  const held = new HeldDirectories();
  held.holdRoot(0, root);
  t.throws(() => held.hold(1, 0, 'link'), { code: /ELOOP|ENOTDIR/ });
  t.throws(() => held.pathOf(1, 'x'), { code: 'INTERNAL' });
  held.release(0);
  t.end();
});
