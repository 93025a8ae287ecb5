// Small repositories that a real kopia wrote (test/vectors/repositories) are read completely: every
// algorithm family, format version and odd corner that a clone of this repository can test alone.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readExpected, readsAsExpected } from '#test/support/recorded-repository.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';
import { unpackTar } from '#test/support/tar-archive.ts';

const VECTORS = fileURLToPath(new URL('../vectors/repositories', import.meta.url));
const SUFFIX = '.tar.gz';

const archives = (await readdir(VECTORS)).filter(name => name.endsWith(SUFFIX));
t.ok(archives.length >= 14);
t.jobs = 2;
for (const archive of archives) {
  const name = archive.slice(0, -SUFFIX.length);
  t.test(`${name} of kopia is read completely`, { buffered: true }, async t => {
    await using scratch = await ScratchDirectory.make();
    await unpackTar(join(VECTORS, archive), scratch.path);
    const url = `file://${scratch.join('repo')}`;
    await readsAsExpected(t, { url, ...(await readExpected(scratch.path)), scratch: scratch.path });
  });
}
