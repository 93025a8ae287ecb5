// Run by mounted-below.slow.test.ts in a mount namespace.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { restore } from '#engine/snapshot/restore/restore.ts';
import type { Node } from '#test/support/stored-tree.ts';
import {
  IMAGES,
  bindMount,
  makeDirectoryThere,
  mountImage,
} from '#test/engine/snapshot/target/mounts.ts';
import { sceneOf } from './restore-scene.ts';

t.test('what lies on file systems mounted below a target is on the disk, too', async t => {
  const mounted = mountImage(IMAGES.ext4);
  if ('reason' in mounted) return t.comment(`ext4 cannot be mounted: ${mounted.reason}`);
  const text = 'only what was written back is in the image. ';
  const file: Node = { file: text.repeat(100), chunkBytes: 1000 };
  const small: Node = { file: 'small, and written back as well' };
  const inside: Node = {
    directory: [
      ['file', file],
      ['small', small],
    ],
  };
  const root: Node = { directory: [['a', { directory: [['inside', inside]] }]] };
  const { parts, snapshot } = sceneOf(t, root);
  const target = makeDirectoryThere();
  mkdirSync(join(target, 'a/inside'), { recursive: true });
  bindMount(mounted.path, join(target, 'a/inside'));
  writeFileSync(join(mounted.path, 'small'), 'was there');
  const outcome = await restore(parts, { snapshot, target, overwrite: 'always' });
  t.same(outcome.differences, []);
  const image = readFileSync(`${mounted.path}.img`);
  t.ok(image.includes(text.repeat(2)), 'a file of several chunks');
  t.ok(image.includes('small, and written back as well'), 'a small one');
});
