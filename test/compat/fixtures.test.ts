// Every repository of the recorded archives (48 by kopia 0.22 and 0.23, four by 0.12) is read to
// the last byte. The archives lie beside the repository and are no part of it: skipped where
// absent.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { listSnapshots, openRepository, resolveSnapshot, restore, verify } from '#engine/index.ts';
import { readExpected, readsAsExpected } from '#test/support/recorded-repository.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';
import {
  type ListedEntry,
  listingDifferences,
  lostWithoutRoot,
  treeListing,
} from '#test/support/tree-listing.ts';

const run = promisify(execFile);
const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));
const PASSWORD = 'static-passw0rd';
/** Each restores and hashes on this thread, and opens with a key derivation on another. */
const JOBS = 3;

function reasonToSkip(archive: string): string | undefined {
  if (existsSync(archive)) return undefined;
  return `${basename(archive)} is not beside the repository, in ../shared/fixtures`;
}

async function unpack(archive: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await run('tar', ['-xJf', archive, '-C', directory]);
}

const recent = join(FIXTURES, 'kopia-fixture-v0.23.1.tar.xz');
const skipRecent = reasonToSkip(recent);
if (skipRecent) t.comment(`skipped: ${skipRecent}`);

t.test('repositories of kopia 0.22 and 0.23 are read completely', { skip: skipRecent }, async t => {
  const scratch = await ScratchDirectory.make();
  t.teardown(() => scratch[Symbol.asyncDispose]());
  await unpack(recent, scratch.path);
  const root = scratch.join('kopia-fixture-v0.23.1');
  const matrix = await readdir(join(root, 'matrix'));
  const names = ['default', 'velero', ...matrix.map(name => `matrix/${name}`)];
  t.equal(names.length, 48);
  t.jobs = JOBS;
  for (const name of names) {
    t.test(`${name} is read completely`, { buffered: true }, async t => {
      const folder = join(root, name);
      const inside = name === 'velero' ? 'repo/kopia/ns1' : 'repo';
      const url = `file://${join(folder, inside)}`;
      const place = scratch.join(`restored-${basename(name)}`);
      await mkdir(place);
      await readsAsExpected(t, { url, ...(await readExpected(folder)), scratch: place });
    });
  }
});

const old = join(FIXTURES, 'kopia-fixture-v0.12.1.tar.xz');
const skipOld = reasonToSkip(old);
if (skipOld) t.comment(`skipped: ${skipOld}`);

interface OldRepository {
  readonly name: string;
  /** Index entries, deleted ones included, as kopia lists them (kopia-format.md 16.1). */
  readonly contents: number;
  readonly deleted: number;
  readonly rootObject: string;
  /** Whether its one snapshot is of the archive's `src`. */
  readonly isOfSource: boolean;
}

const ROOT = 'k1b523cd518e4b579586f6ad6e089f46e';
const SMALL_ROOT = 'k8653c117a346fd81e3799a08c67c9b0f';
const OLD: readonly OldRepository[] = [
  { name: 'repo', contents: 27, deleted: 0, rootObject: ROOT, isOfSource: true },
  { name: 'repo-deleted', contents: 27, deleted: 6, rootObject: ROOT, isOfSource: true },
  { name: 'repo-dropped', contents: 21, deleted: 0, rootObject: ROOT, isOfSource: true },
  { name: 'epoch-repo', contents: 21, deleted: 0, rootObject: SMALL_ROOT, isOfSource: false },
];

t.test('repositories of kopia 0.12 are read completely', { skip: skipOld }, async t => {
  await using scratch = await ScratchDirectory.make();
  await unpack(old, scratch.path);
  for (const expected of OLD) await readsOld(t, scratch, expected);
});

async function readsOld(
  t: Test,
  scratch: ScratchDirectory,
  { name, isOfSource, ...expected }: OldRepository,
): Promise<void> {
  const url = `file://${scratch.join(name)}`;
  await using repository = await openRepository({ url, password: PASSWORD, isReadOnly: true });
  const entries = [...repository.contents.entries()];
  const deleted = entries.filter(entry => entry.isDeleted).length;
  const { rootEntry } = await resolveSnapshot(repository, 'latest');
  const found = { contents: entries.length, deleted, rootObject: rootEntry?.objectId };
  t.same(found, expected, name);
  t.equal((await listSnapshots(repository, { includeIncomplete: true })).length, 1);
  t.same((await verify(repository, { readPercent: 100 })).problems, [], 'nothing is damaged');
  const target = scratch.join(`restored-${name}`);
  const outcome = await restore(repository, { snapshot: 'latest', target });
  t.equal(outcome.files, isOfSource ? 7 : 1);
  if (!isOfSource) return;
  const source = (await treeListing(scratch.join('src'))).map(asKept);
  const listing = (await treeListing(target)).map(asKept);
  t.same(listingDifferences(source, listing, { without: lostWithoutRoot }), [], 'as it was');
}

/** That kopia stored no setuid, setgid and sticky bits, and this archive has whole seconds only. */
function asKept(entry: ListedEntry): ListedEntry {
  return { ...entry, mode: entry.mode.slice(-3), mtime: entry.mtime.slice(0, 19) };
}
