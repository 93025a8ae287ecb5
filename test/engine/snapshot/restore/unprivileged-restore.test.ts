// Restores by a user who is not root and may only do with files what their bits allow.

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { becomeNobody, NOBODY } from '#test/support/nobody.ts';
import type { Node } from '#test/support/stored-tree.ts';
import { isRoot, sceneOf } from './restore-scene.ts';

const owner = isRoot
  ? { uid: NOBODY, gid: NOBODY }
  : { uid: process.getuid?.(), gid: process.getgid?.() };

/** Root is nobody while it works. */
async function withoutRights<T>(work: () => Promise<T>): Promise<T> {
  using _nobody = becomeNobody();
  return await work();
}

/** Of one chunk and of several: they are opened again by different ways. */
for (const mode of [0o444, 0o400, 0]) {
  t.test(
    `files with a hole come back with the mode ${mode.toString(8).padStart(4, '0')}`,
    async t => {
      const data = Buffer.concat([Buffer.alloc(65_536, 'data'), Buffer.alloc(140_000)]);
      const one: Node = { ...owner, file: data, mode, extras: { holes: [65_536, 140_000] } };
      const { run } = sceneOf(t, {
        ...owner,
        directory: [
          ['one', one],
          ['several', { ...one, chunkBytes: 100_000 }],
        ],
      });
      // Not below the checkout, which may be closed to others.
      const base = fs.mkdtempSync(join(tmpdir(), 'stevedore-unprivileged-'));
      t.teardown(() => fs.rmSync(base, { recursive: true }));
      fs.chmodSync(base, 0o777);
      const target = join(base, 'target');
      const { differences } = await withoutRights(() => run({ target }));
      t.same(differences, []);
      for (const name of ['one', 'several']) {
        const path = join(target, name);
        t.equal(fs.statSync(path).mode & 0o7777, mode);
        fs.chmodSync(path, 0o600);
        t.ok(data.equals(fs.readFileSync(path)));
      }
    },
  );
}
