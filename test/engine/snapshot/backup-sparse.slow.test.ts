// Files with holes on their way into a snapshot.

import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import t from 'tap';
import { isNativeAvailable } from '#engine/base/native.ts';
import { backup } from '#engine/operations.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { storedEntries } from '#test/support/stored-extras.ts';
import { large, MiB, random, repositoryFor, request } from './backup-scene.ts';

const skip = isNativeAvailable() ? undefined : 'only system calls see holes';

function writeAt(path: string, pieces: readonly (readonly [number, Uint8Array])[], bytes: number) {
  writeFileSync(path, '');
  truncateSync(path, bytes);
  const file = openSync(path, 'r+');
  for (const [position, piece] of pieces) writeSync(file, piece, 0, piece.length, position);
  closeSync(file);
}

t.test('a file with holes has the object of the same bytes without', { skip }, async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(root);
  const piece = random.bytes(300_000);
  const shapes: [string, [number, Uint8Array][], number][] = [
    ['small', [[100_000, piece.subarray(0, 5)]], 400_000],
    [
      'middle',
      [
        [0, piece],
        [5 * MiB, piece],
      ],
      5 * MiB + piece.length,
    ],
    ['ends', [[3 * MiB + 77, piece]], 9 * MiB + 1],
    ['nothing', [], 6 * MiB],
    ['full', [[0, large]], large.length],
  ];
  for (const [name, pieces, bytes] of shapes) {
    const whole = new Uint8Array(bytes);
    for (const [position, data] of pieces) whole.set(data, position);
    writeAt(`${root}/${name}-sparse`, pieces, bytes);
    writeFileSync(`${root}/${name}-whole`, whole);
  }
  const repository = await repositoryFor(t);
  const { control } = repository.parts;
  for (const threads of [1, 4]) {
    const own = threads === 1 ? repository : await repositoryFor(t, { threads });
    const outcome = await backup(own, request(root, { parent: 'none' }));
    t.strictSame(outcome.skipped, []);
    const entries = await storedEntries(own, outcome.snapshotId);
    for (const [name] of shapes) {
      const sparse = entries.get(`${name}-sparse`);
      const whole = entries.get(`${name}-whole`);
      t.equal(sparse?.entry.objectId, whole?.entry.objectId, name);
      t.equal(whole?.extras, undefined);
      t.equal(sparse?.extras?.holes !== undefined, name !== 'full', `holes of ${name}`);
    }
    t.same(entries.get('nothing-sparse')?.extras?.holes, [0, 6 * MiB]);
  }
  t.ok(control.total('bytesRead') > 0);
});

t.test('a large file that is empty but for a little takes no time', { skip }, async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(root);
  const bytes = 8 * 2 ** 30;
  writeAt(`${root}/disk`, [[5 * 2 ** 30, random.bytes(2 * MiB)]], bytes);
  const repository = await repositoryFor(t);
  const outcome = await backup(repository, request(root));
  t.match(outcome, { files: 1, bytes, skipped: [] });
  t.ok(repository.parts.control.total('bytesRead') < 8 * MiB);
  const again = await backup(repository, request(root));
  t.equal(again.rootObjectId, outcome.rootObjectId);
});
