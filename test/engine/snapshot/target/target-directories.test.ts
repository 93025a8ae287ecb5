import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import t, { type Test } from 'tap';

import { openTargetFileSystem } from '#engine/snapshot/target/open-target-file-system.ts';
import { removeTree } from '#engine/snapshot/target/remove-tree.ts';
import { TargetDirectories } from '#engine/snapshot/target/target-directories.ts';
import { TargetFileSystem } from '#engine/snapshot/target/target-file-system.ts';

import { TargetScene, bytesOf, wish } from './target-scene.ts';
import { withoutOpenBeneath } from './without-open-beneath.ts';

/** `levels` of the deepest tree: without openat2 every level is a call each time. */
function directoriesSuite(
  t: Test,
  levels: number,
  fileSystemOf: (scene: TargetScene) => TargetFileSystem,
): void {
  const open = () => {
    const scene = new TargetScene();
    const fileSystem = fileSystemOf(scene);
    const directories = new TargetDirectories(fileSystem, scene.root);
    const at = (path: string) => directories.at(path.split('/').map(bytesOf));
    const dispose = () => {
      directories[Symbol.dispose]();
      scene[Symbol.dispose]();
    };
    return { scene, fileSystem, directories, at, [Symbol.dispose]: dispose };
  };

  t.test('directories are found by their names and stay few', async t => {
    using opened = open();
    const { scene, at, fileSystem } = opened;
    const count = () => readdirSync('/proc/self/fd').length;
    const before = count();
    for (let i = 0; i < 100; i++) {
      mkdirSync(scene.inside(`a/b${i}/c`), { recursive: true });
      const directory = at(`a/b${i}/c`);
      t.equal(at(`a/b${i}/c`), directory);
      fileSystem.createFile(directory, bytesOf('x'), wish())[Symbol.dispose]();
      t.ok(existsSync(scene.inside(`a/b${i}/c/x`)));
    }
    t.ok(count() - before <= 33, `${count() - before} are open`);
    t.equal(opened.directories.at([]), scene.root);
  });

  t.test('no link on the way is followed, wherever it leads', async t => {
    using opened = open();
    const { scene, at } = opened;
    mkdirSync(scene.outside('other/x'), { recursive: true });
    mkdirSync(scene.inside('real/x'), { recursive: true });
    symlinkSync('../other', scene.inside('up'));
    symlinkSync('real', scene.inside('within'));
    symlinkSync('/', scene.inside('slash'));
    symlinkSync('/proc/self/cwd', scene.inside('magic'));
    for (const path of ['up', 'up/x', 'within', 'within/x', 'slash/tmp', 'magic', 'magic/test']) {
      t.throws(() => at(path), { code: 'TARGET_NAME_UNSAFE' }, path);
    }
    at('real/x');
    t.throws(() => at('real/none'), { code: 'TARGET_ENTRY_FAILED', details: { errno: 'ENOENT' } });
  });

  t.test('names that mean other directories are refused, known or not', async t => {
    using opened = open();
    const { scene, directories } = opened;
    mkdirSync(scene.inside('a/b'), { recursive: true });
    directories.at([bytesOf('a'), bytesOf('b')]);
    for (const names of [
      ['a/b'],
      ['..'],
      ['a', '..'],
      ['a', '..', 'a'],
      ['a', ''],
      ['.'],
      ['a\0'],
    ]) {
      const attempt = () => directories.at(names.map(bytesOf));
      t.throws(attempt, { code: 'TARGET_NAME_UNSAFE' }, JSON.stringify(names));
    }
  });

  t.test('what was forgotten is looked for anew', async t => {
    using opened = open();
    const { scene, directories, at, fileSystem } = opened;
    mkdirSync(scene.inside('a/b'), { recursive: true });
    mkdirSync(scene.inside('ab'));
    at('a/b');
    const other = at('ab');
    directories.forget([bytesOf('a')]);
    renameSync(scene.inside('a'), scene.inside('old'));
    t.throws(() => at('a/b'), { code: 'TARGET_ENTRY_FAILED' });
    t.equal(at('ab'), other);
    mkdirSync(scene.inside('a/b'), { recursive: true });
    fileSystem.createFile(at('a/b'), bytesOf('x'), wish())[Symbol.dispose]();
    t.same(readdirSync(scene.inside('a/b')), ['x']);
    t.same(readdirSync(scene.inside('old/b')), []);
  });

  t.test('a directory deeper than the longest path is reached, filled and removed', async t => {
    using opened = open();
    const { scene, fileSystem } = opened;
    const name = bytesOf('d'.repeat(200));
    const names: Uint8Array[] = [];
    using maker = new TargetDirectories(fileSystem, scene.root);
    for (let depth = 0; depth < 60; depth++) {
      fileSystem.makeDirectory(maker.at(names), name);
      names.push(name);
    }
    // 12,000 bytes at once, with nothing open on the way.
    using fresh = new TargetDirectories(fileSystem, scene.root);
    fileSystem.createFile(fresh.at(names), bytesOf('x'), wish())[Symbol.dispose]();
    const path = Buffer.from(fresh.at(names).path).toString();
    t.equal(path, `${scene.inside('')}${`/${'d'.repeat(200)}`.repeat(60)}`.replace('//', '/'));
    t.equal(removeTree(fileSystem, scene.root, name), 61);
    t.same(readdirSync(scene.inside('')), []);
  });

  t.test(`a tree of ${levels} levels is removed`, async t => {
    using opened = open();
    const { scene, fileSystem } = opened;
    using maker = new TargetDirectories(fileSystem, scene.root);
    const names: Uint8Array[] = [];
    const name = bytesOf('d');
    for (let depth = 0; depth < levels; depth++) {
      const directory = maker.at(names);
      fileSystem.makeDirectory(directory, name);
      if (depth % 100 === 0) fileSystem.makeSymlink(directory, bytesOf('l'), bytesOf('/'));
      names.push(name);
    }
    t.equal(removeTree(fileSystem, scene.root, name), levels + Math.floor((levels - 1) / 100));
  });

  t.test('a removal unlinks links and leaves alone what they point to', async t => {
    using opened = open();
    const { scene, fileSystem } = opened;
    mkdirSync(scene.outside('other'));
    writeFileSync(scene.outside('other/precious'), 'precious');
    mkdirSync(scene.inside('tree/a/b'), { recursive: true });
    symlinkSync('../../../other', scene.inside('tree/a/link'));
    symlinkSync(scene.outside('other'), scene.inside('tree/absolute'));
    execFileSync('mkfifo', [scene.inside('tree/a/b/pipe')]);
    t.equal(removeTree(fileSystem, scene.root, bytesOf('tree')), 6);
    t.same(readdirSync(scene.inside('')), []);
    t.equal(readFileSync(scene.outside('other/precious'), 'utf8'), 'precious');
    symlinkSync('../other', scene.inside('link'));
    t.equal(removeTree(fileSystem, scene.root, bytesOf('link')), 1);
    t.equal(removeTree(fileSystem, scene.root, bytesOf('none')), 0);
    t.ok(existsSync(scene.outside('other/precious')));
    t.throws(() => removeTree(fileSystem, scene.root, bytesOf('..')), {
      code: 'TARGET_NAME_UNSAFE',
    });
  });

  t.test('a removal can be ended between two entries', async t => {
    using opened = open();
    const { scene, fileSystem } = opened;
    mkdirSync(scene.inside('tree'));
    for (let i = 0; i < 3000; i++) writeFileSync(scene.inside(`tree/${i}`), '');
    let asked = 0;
    const checkpoint = () => {
      if (++asked === 2) throw new Error('enough');
    };
    const attempt = () => removeTree(fileSystem, scene.root, bytesOf('tree'), { checkpoint });
    t.throws(attempt, /enough/);
    t.equal(readdirSync(scene.inside('tree')).length, 3000 - 2048);
  });
}

t.test('with the calls of this machine', async t =>
  directoriesSuite(t, 2000, scene => scene.fileSystem),
);

for (const name of ['ENOSYS', 'EPERM'] as const) {
  t.test(`where openat2 says ${name}`, async t =>
    directoriesSuite(t, 200, ({ fileSystem }) => {
      const errno = constants.errno[name];
      return new TargetFileSystem(withoutOpenBeneath(fileSystem.calls, errno));
    }),
  );
}

t.test('portable', async t =>
  directoriesSuite(t, 200, () => openTargetFileSystem({ native: false })),
);
