// What we store beyond kopia's format does not trouble kopia: it verifies and restores such trees,
// goes on from them, and when its maintenance deletes what is known beside a snapshot nothing is
// lost but time.

import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import t from 'tap';
import { backup, openRepository } from '#engine/index.ts';
import { setXattr } from '#test/support/set-attributes.ts';
import { storedEntries } from '#test/support/stored-extras.ts';
import { findKopia, Kopia, KOPIA_OWNER } from '#test/support/kopia.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';

const { program, reason } = findKopia();
const skip = program === undefined ? reason : undefined;
if (skip) t.comment(`skipped: ${skip}`);

const PASSWORD = 'a password';

function makeTree(path: string): void {
  mkdirSync(`${path}/inner`, { recursive: true });
  writeFileSync(`${path}/file`, 'file');
  setXattr(`${path}/file`, 'user.a', Buffer.of(1, 2));
  setXattr(`${path}/inner`, 'user.b', Buffer.of(3));
  linkSync(`${path}/file`, `${path}/inner/link`);
  writeFileSync(`${path}/sparse`, 'data');
  truncateSync(`${path}/sparse`, 20_000_000);
  execFileSync('mkfifo', [`${path}/inner/pipe`]);
  writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0x61, 0xff])]), 'raw');
}

t.test('kopia takes such trees for trees', { skip }, async t => {
  await using scratch = await ScratchDirectory.make();
  const directory = scratch.join('repository');
  const kopia = new Kopia({ directory: scratch.join('client'), password: PASSWORD });
  await kopia.create(directory);
  const path = scratch.join('tree');
  makeTree(path);
  const source = { ...KOPIA_OWNER, path };
  const place = { url: `file://${directory}`, password: PASSWORD, threads: 2 };
  const first = await (async () => {
    await using repository = await openRepository(place);
    await backup(repository, { path, source });
    return await backup(repository, { path, source });
  })();
  t.strictSame(first.skipped, []);
  await kopia.verify([first.snapshotId]);
  const target = scratch.join('restored');
  await kopia.run('snapshot', 'restore', first.snapshotId, target);
  t.equal(readFileSync(`${target}/inner/link`, 'utf8'), 'file');
  t.strictSame(readdirSync(`${target}/inner`), ['link'], 'the pipe is none of its business');
  t.equal(readFileSync(`${target}/sparse`).length, 20_000_000);
  t.equal(readFileSync(`${target}/a\ufffd`, 'utf8'), 'raw');

  await kopia.run('snapshot', 'create', path);
  const [ours, theirs] = (await kopia.snapshots()).slice(-2);
  t.equal(ours.id, first.snapshotId);
  t.ok(theirs.stats.cachedFiles >= 3, 'kopia goes on from ours');

  // Nothing is spared for its age, so what is known beside the snapshots goes at once.
  await kopia.maintain();
  await using repository = await openRepository(place);
  const after = await backup(repository, { path, source, parent: first.snapshotId });
  t.equal(after.rootObjectId, first.rootObjectId);
  t.ok(after.contentsNew > 1, 'what is known is written again');
  const onTheirs = await backup(repository, { path, source, parent: theirs.id });
  t.equal(onTheirs.rootObjectId, first.rootObjectId, 'attributes are found without a note');
  const entries = await storedEntries(repository, onTheirs.snapshotId);
  t.ok(entries.get('file')?.extras?.linkGroup);
  await kopia.verify([after.snapshotId, onTheirs.snapshotId]);
});
