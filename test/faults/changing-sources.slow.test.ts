// A tree that changes while it is backed up: a file that has changed once is read once more; what
// is different then is named in the outcome, the rest is stored, nothing blocks and no link is
// followed.

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { OpenContents } from '#engine/content/open-contents.ts';
import { backup, listTree, Repository, restore } from '#engine/index.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { runWords } from '#test/engine/cli/surface.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { faultsOf, makeSmallRepository, OWNER, PASSWORD } from './small-repository.ts';

/** Long enough to be read by a task of its own, after the listing. */
const BYTES = 2_000_000;
const FILES = [
  'grows',
  'shrinks',
  'empties',
  'vanishes',
  'becomes-fifo',
  'becomes-link',
  'stays',
  'restless',
];

const place = fastDirectory(t);
const directory = `${place}/repository`;
const storage = await openFilesystem(directory, { create: true });
const small = await makeSmallRepository(t.testdir(), storage);

t.test('what changes under a backup is named, and stored as far as it can be', async t => {
  const path = `${place}/tree`;
  for (const name of ['gone', 'swapped']) mkdirSync(`${path}/${name}`, { recursive: true });
  writeFileSync(`${path}/swapped/secret`, 'secret');
  for (const name of FILES) writeFileSync(`${path}/${name}`, Buffer.alloc(BYTES, name));
  process.env.STEVEDORE_TEST_TREE = path;
  const threadEntry = new URL('changing-worker.ts', import.meta.url);
  const options = { threadEntry, threads: 1 };
  const parts = await OpenContents.openWith<EngineTasks>(storage, small.format, options);
  await using repository = new Repository(parts, undefined);
  const outcome = await backup(repository, { path, source: { ...OWNER, path } });
  const skipped = outcome.skipped.map(entry => [entry.path.slice(path.length + 1), entry.code]);
  // What changed once was read once more, and stood still then.
  t.strictSame(skipped.sort(), [
    ['becomes-fifo', 'SOURCE_CHANGED'],
    ['becomes-link', 'SOURCE_CHANGED'],
    ['gone', 'SOURCE_VANISHED'],
    ['restless', 'SOURCE_CHANGED'],
    ['swapped', 'SOURCE_CHANGED'],
    ['vanishes', 'SOURCE_VANISHED'],
  ]);
  const entries = await Array.fromAsync(
    listTree(repository, outcome.snapshotId, { isRecursive: true }),
  );
  const sizes = entries.map(({ path: name, size }) => [name, size]);
  t.strictSame(sizes.sort(), [
    ['empties', 0],
    ['grows', BYTES + 4],
    ['restless', BYTES + 4],
    ['shrinks', 1_500_000],
    ['stays', BYTES],
  ]);
  const target = `${place}/restored`;
  const { differences } = await restore(repository, { snapshot: outcome.snapshotId, target });
  t.strictSame(differences, []);
  t.equal(statSync(`${target}/grows`).size, BYTES + 4);
  t.strictSame(await faultsOf(repository), []);
});

t.test('the command ends with status 3 and lists what changed', async t => {
  // Files of /proc hold more than they say, as if they grew.
  const words = ['backup', '/proc/sys/kernel/random', '--threads', '1'];
  const { status, stdout } = await runWords(words, {
    environment: { STEVEDORE_REPO: directory, STEVEDORE_PASSWORD: PASSWORD },
    loadEngine: () => import('#engine/index.ts'),
  });
  t.equal(status, 3);
  t.match(stdout, /Not in the snapshot: \d+ entries/);
  t.match(stdout, /random\/uuid was written to while it was read .*\(SOURCE_CHANGED\)/);
});
