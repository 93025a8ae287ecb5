// A tree that is deeper than what can be restored.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { backup, listTree } from '#engine/index.ts';
import { TREE_DEPTH_MAX } from '#engine/snapshot/tree-limits.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { repositoryFor, request } from './backup-scene.ts';

/** In a process of its own, since no path is long enough for it. */
const MAKE = `
  const { mkdirSync, writeFileSync } = require('node:fs');
  for (let level = 1; level < ${TREE_DEPTH_MAX + 1}; level++) {
    mkdirSync('d');
    process.chdir('d');
  }
  writeFileSync('unseen', '');
`;

t.test('of a tree that is too deep the rest is stored, and can be read', async t => {
  const root = `${fastDirectory(t)}/tree`;
  t.teardown(() => execFileSync('rm', ['-rf', root]));
  mkdirSync(root);
  writeFileSync(`${root}/kept`, 'kept');
  execFileSync(process.execPath, ['-e', MAKE], { cwd: root });
  const repository = await repositoryFor(t);
  const { failedCount, skipped, snapshotId } = await backup(repository, request(root));
  t.equal(failedCount, 1);
  t.match(skipped, [{ code: 'SOURCE_TOO_LARGE', isDirectory: true }]);
  t.equal(skipped[0].path.length, root.length + 2 * TREE_DEPTH_MAX);
  let count = 0;
  for await (const { type } of listTree(repository, snapshotId, { isRecursive: true })) {
    if (type === 'directory') count++;
  }
  t.equal(count, TREE_DEPTH_MAX - 1, 'all but the root and the last');
});
