// Both programs cut, hash and name alike: what one has stored costs the other next to nothing.

import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import t from 'tap';
import { backup, createRepository, openRepository } from '#engine/index.ts';
import { findKopia, Kopia, KOPIA_OWNER } from '#test/support/kopia.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { makeSampleTree } from '#test/support/sample-tree.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';

const { program, reason } = findKopia();
const skip = program === undefined ? reason : undefined;
if (skip) t.comment(`skipped: ${skip}`);

const PASSWORD = 'a password';
const MIB = 2 ** 20;
const NEW_BYTES_MAX = 0.01;

for (const isOursFirst of [false, true]) {
  const [one, other] = isOursFirst ? ['we', 'kopia'] : ['kopia', 'us'];
  t.test(`a tree that ${one} stored costs ${other} at most 1 % new bytes`, { skip }, async t => {
    await using scratch = await ScratchDirectory.make();
    const seed = newSeed();
    t.comment(`seed ${seed}`);
    const path = scratch.join('tree');
    const largeBytes = [24 * MIB, 12 * MIB, 5 * MIB];
    await makeSampleTree(path, new SeededRandom(seed), { smallFiles: 1000, largeBytes });
    const repository = scratch.join('repository');
    const url = `file://${repository}`;
    const kopia = new Kopia({ directory: scratch.join('client'), password: PASSWORD });
    if (isOursFirst) {
      await createRepository({ url, password: PASSWORD, owner: KOPIA_OWNER });
      await kopia.connect(repository);
    } else {
      await kopia.create(repository);
    }
    const byKopia = () => kopia.run('snapshot', 'create', '--force-hash=100', path);
    const byUs = async () => {
      await using opened = await openRepository({ url, password: PASSWORD });
      // Another source, so that there is no parent whose files could be taken unread.
      const source = { ...KOPIA_OWNER, path: '/elsewhere' };
      await backup(opened, { path, source });
    };
    const before = await packBytes(repository);
    await (isOursFirst ? byUs() : byKopia());
    const afterFirst = await packBytes(repository);
    await (isOursFirst ? byKopia() : byUs());
    const afterSecond = await packBytes(repository);
    const share = (afterSecond - afterFirst) / (afterFirst - before);
    t.comment(`${afterFirst - before} bytes, then ${afterSecond - afterFirst}`);
    t.ok(share <= NEW_BYTES_MAX, `${(share * 100).toFixed(3)} % is new`);
  });
}

/** Total length of all packs in a directory that kopia lays out. */
async function packBytes(repository: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(repository, { recursive: true, withFileTypes: true })) {
    const place = join(entry.parentPath, entry.name);
    const isPack = /^\/?[pq]/.test(place.slice(repository.length));
    if (isPack && entry.isFile() && basename(place).endsWith('.f')) {
      total += (await stat(place)).size;
    }
  }
  return total;
}
