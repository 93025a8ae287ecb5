// What befell others that unpack what somebody else has packed, as far as it concerns the writing
// of entries. What a path of several names means, and whether a snapshot is genuine, is decided
// above and tested there.

import {
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import t from 'tap';

import { assertPermitted } from '#engine/snapshot/target/attribute-policy.ts';
import { TargetDirectories } from '#engine/snapshot/target/target-directories.ts';
import { KEEP_ALL } from '#engine/snapshot/target/wanted-attributes.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import { SAMPLE_CAPABILITY, TargetScene, bytesOf, wish } from './target-scene.ts';

function openScene(native: boolean): TargetScene {
  const scene = new TargetScene({ native });
  mkdirSync(scene.outside('prey'));
  writeFileSync(scene.outside('prey/victim'), 'precious');
  return scene;
}

for (const native of [true, false]) {
  const kind = native ? 'native' : 'portable';

  // A hard link or a symbolic link whose target is absolute, then a file of the same name that is
  // written through it.
  t.test(
    `node-tar CVE-2026-23745: links to elsewhere are not written through, ${kind}`,
    async t => {
      using scene = openScene(native);
      const { fileSystem, root } = scene;
      const victim = bytesOf(scene.outside('prey/victim'));
      t.throws(() => fileSystem.makeHardLink(root, victim, root, bytesOf('hard')), {
        code: 'TARGET_NAME_UNSAFE',
      });
      fileSystem.makeSymlink(root, bytesOf('soft'), victim);
      t.throws(() => scene.file('soft', 'evil'), { code: 'TARGET_NOT_EMPTY' });
      t.equal(fileSystem.openFile(root, bytesOf('soft')), undefined);
      fileSystem.makeHardLink(root, bytesOf('soft'), root, bytesOf('second'));
      t.throws(() => scene.file('second', 'evil'), { code: 'TARGET_NOT_EMPTY' });
      // The link itself is restored as it is: what it says is the snapshot's affair.
      t.equal(readlinkSync(scene.inside('soft')), scene.outside('prey/victim'));
      t.equal(readFileSync(scene.outside('prey/victim'), 'utf8'), 'precious');
      t.equal(statSync(scene.outside('prey/victim')).nlink, 1);
    },
  );

  // The check resolved the target of a hard link from the entry's directory, the link from the root
  // of extraction: a/b/c/../../../../x passed.
  t.test(`node-tar CVE-2026-24842: a hard link has no path to resolve, ${kind}`, async t => {
    using scene = openScene(native);
    const { fileSystem, root } = scene;
    mkdirSync(scene.inside('a/b/c'), { recursive: true });
    using directories = new TargetDirectories(fileSystem, root);
    const deep = directories.at(['a', 'b', 'c'].map(bytesOf));
    for (const text of ['../../../../prey/victim', '../prey/victim', '../../../prey/victim']) {
      for (const from of [deep, root]) {
        const attempt = () => fileSystem.makeHardLink(from, bytesOf(text), deep, bytesOf('x'));
        t.throws(attempt, { code: 'TARGET_NAME_UNSAFE' }, text);
      }
    }
    const up = ['a', 'b', 'c', '..', '..', '..', '..', 'prey'].map(bytesOf);
    t.throws(() => directories.at(up), { code: 'TARGET_NAME_UNSAFE' });
    t.equal(statSync(scene.outside('prey/victim')).nlink, 1);
    t.same(readdirSync(scene.inside('a/b/c')), []);
  });

  // With incremental recursion the list said "link" first and "directory" later, so that what came
  // below went through the link.
  t.test(
    `rsync CVE-2024-12087: a link that is called a directory later leads nowhere, ${kind}`,
    async t => {
      using scene = openScene(native);
      const { fileSystem, root } = scene;
      const name = bytesOf('d');
      fileSystem.makeSymlink(root, name, bytesOf('../prey'));
      t.throws(() => fileSystem.makeDirectory(root, name), { code: 'TARGET_NOT_EMPTY' });
      t.throws(() => fileSystem.openDirectory(root, name), { code: 'TARGET_NAME_UNSAFE' });
      using directories = new TargetDirectories(fileSystem, root);
      t.throws(() => directories.at([name]), { code: 'TARGET_NAME_UNSAFE' });
      // The other way round: what is open stays the directory that it was.
      fileSystem.remove(root, name);
      fileSystem.makeDirectory(root, name);
      directories.at([name]);
      t.throws(() => fileSystem.makeSymlink(root, name, bytesOf('../prey')), {
        code: 'TARGET_NOT_EMPTY',
      });
      fileSystem.createFile(directories.at([name]), bytesOf('x'), wish())[Symbol.dispose]();
      t.same(readdirSync(scene.inside('d')), ['x']);
      t.same(readdirSync(scene.outside('prey')), ['victim']);
    },
  );

  // A link was judged by its own text, which led through another link.
  t.test(
    `rsync CVE-2024-12088: links that lead through links are not followed, ${kind}`,
    async t => {
      using scene = openScene(native);
      const { fileSystem, root } = scene;
      fileSystem.makeDirectory(root, bytesOf('d'));
      fileSystem.makeSymlink(root, bytesOf('up'), bytesOf('d/..'));
      fileSystem.makeSymlink(root, bytesOf('out'), bytesOf('up/../prey'));
      using directories = new TargetDirectories(fileSystem, root);
      for (const names of [['out'], ['up'], ['up', 'd'], ['out', 'deeper']]) {
        t.throws(() => directories.at(names.map(bytesOf)), { code: 'TARGET_NAME_UNSAFE' });
      }
      t.throws(() => scene.file('out', 'evil'), { code: 'TARGET_NOT_EMPTY' });
      t.same(readdirSync(scene.outside('prey')), ['victim']);
      t.equal(readlinkSync(scene.inside('out')), 'up/../prey');
    },
  );
}

// Archives could be forged that passed for genuine ones. Here: whoever can forge a snapshot lends
// no rights where the restore was told to refuse them. Whether it is genuine is for the contents'
// tags to say.
t.test('Borg CVE-2023-36811: a forged entry gets no rights that are refused', async t => {
  using scene = openScene(true);
  const refuse = {
    ...KEEP_ALL,
    setId: 'refuse',
    devices: 'refuse',
    privilegedXattrs: 'refuse',
  } as const;
  const xattrs = [{ name: 'security.capability', value: SAMPLE_CAPABILITY }];
  const forged: [type: number, wanted: ReturnType<typeof wish>][] = [
    [ENTRY_TYPE.file, wish({ mode: 0o4755 })],
    [ENTRY_TYPE.file, wish({ mode: 0o2755 })],
    [ENTRY_TYPE.file, wish({ extras: { xattrs } })],
    [ENTRY_TYPE.directory, wish({ extras: { xattrs } })],
    [ENTRY_TYPE.blockDevice, wish()],
    [ENTRY_TYPE.characterDevice, wish()],
  ];
  for (const [type, wanted] of forged) {
    const attempt = () => assertPermitted({ path: bytesOf('x') }, type, wanted, refuse);
    t.throws(attempt, { code: 'TARGET_ENTRY_REFUSED' });
  }
  t.throws(() => scene.file('x', '', wish({ mode: 0o4755 }), refuse), {
    code: 'TARGET_ENTRY_REFUSED',
  });
  t.equal(statSync(scene.inside('x')).mode & 0o7000, 0);
});
