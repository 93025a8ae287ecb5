// The one comparison that tests of backups and restores rely on: what it does not see is not
// tested.

import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { setInodeFlags, setXattr, setTimes } from './inode-attributes.ts';
import { OddTree } from './odd-tree.ts';
import { SeededRandom } from './random.ts';
import { listingDifferences, treeListing } from './tree-listing.ts';

const isRoot = process.getuid?.() === 0;

interface Scene {
  readonly root: string;
  readonly file: string;
  readonly link: string;
}

function makeScene(t: Test): Scene {
  const root = fastDirectory(t);
  const [file, link] = [`${root}/file`, `${root}/link`];
  writeFileSync(file, 'text');
  writeFileSync(`${root}/other`, 'text');
  symlinkSync('x', link);
  for (const path of [file, link, `${root}/other`, root]) lutimesSync(path, 1, 1);
  return { root, file, link };
}

/** The time of the directory is set again afterwards: it is not what is looked at. */
const CHANGES: readonly (readonly [seen: string, change: (scene: Scene) => boolean | void])[] = [
  ['"file" mode', ({ file }) => chmodSync(file, 0o600)],
  ['"file" mtime', ({ file }) => setTimes(Buffer.from(file), 1_000_000_001n)],
  ['"link" mtime', ({ link }) => lutimesSync(link, 2, 2)],
  ['"." mode', ({ root }) => chmodSync(root, 0o711)],
  ['"file" is missing', ({ file }) => rmSync(file)],
  ['"more" is there, too', ({ root }) => writeFileSync(`${root}/more`, '')],
  [
    '"file" sha256',
    ({ file }) => {
      writeFileSync(file, 'texT');
      utimesSync(file, 1, 1);
    },
  ],
  [
    '"file" size',
    ({ file }) => {
      writeFileSync(file, 'longer');
      utimesSync(file, 1, 1);
    },
  ],
  [
    '"link" target',
    ({ link }) => {
      rmSync(link);
      symlinkSync('y', link);
      lutimesSync(link, 1, 1);
    },
  ],
  [
    '"other" sameAs',
    ({ root, file }) => {
      rmSync(`${root}/other`);
      linkSync(file, `${root}/other`);
    },
  ],
  [
    '"\\\\xff\\\\xfe" is there, too',
    ({ root }) => {
      writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), '');
    },
  ],
  ['"file" xattrs', ({ file }) => setXattr(Buffer.from(file), 'user.a', Buffer.from('b'))],
  ['"file" flags', ({ file }) => setInodeFlags(Buffer.from(file), 0x40)],
  [
    '"file" holes',
    ({ file }) => {
      truncateSync(file, 1 << 20);
      utimesSync(file, 1, 1);
    },
  ],
  ['"file" uid', ({ file }) => (isRoot ? chownSync(file, 1, 0) : false)],
];

for (const [seen, change] of CHANGES) {
  t.test(`it is seen that ${seen}`, async t => {
    const scene = makeScene(t);
    const before = await treeListing(scene.root);
    t.strictSame(listingDifferences(before, await treeListing(scene.root)), []);
    if (change(scene) === false) return t.comment('not to be had on this file system');
    utimesSync(scene.root, 1, 1);
    const found = listingDifferences(before, await treeListing(scene.root));
    t.ok(
      found.some(line => line.startsWith(seen)),
      found.join('; '),
    );
  });
}

t.test('an odd tree is the same for the same seed, and changes when it is changed', async t => {
  const directory = fastDirectory(t);
  const trees = ['a', 'b'].map(name => new OddTree(`${directory}/${name}`, new SeededRandom(5)));
  for (const tree of trees) tree.make(60);
  const [first, second] = await Promise.all(
    ['a', 'b'].map(name => treeListing(`${directory}/${name}`)),
  );
  // Times that nobody set are those of the making.
  const without = () => ['mtime'] as const;
  t.strictSame(listingDifferences(first, second, { without }), []);
  trees[0].change({ count: 20, isSecret: true });
  t.not(listingDifferences(first, await treeListing(`${directory}/a`)).length, 0);
});
