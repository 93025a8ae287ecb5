// `npm run demo [-- DIR]`: the main job on a real directory. Backs it up, changes it, backs it up
// again, restores both snapshots, and compares every byte and attribute. DIR is only read: what is
// changed is a copy, and everything lies in one temporary directory that is removed at the end.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { counted, formatBytes, formatDuration, formatShare } from '#engine/cli/quantity.ts';
import { backup, createRepository, openRepository, restore } from '#engine/index.ts';
import { changeTree } from './demo/change-tree.ts';
import { makeSampleTree } from './demo/sample-tree.ts';
import { SeededRandom } from './support/random.ts';
import { type ListedEntry, listingDifferences, treeListing } from './support/tree-listing.ts';

type BackupOutcome = Awaited<ReturnType<typeof backup>>;

const PASSWORD = 'only for the demo';
const DIFFERENCES_SHOWN_MAX = 20;

function say(title: string, text: string): void {
  console.log(`  ${title.padEnd(16)}${text}`);
}

function makeSource(source: string, given: string | undefined): Promise<void> {
  mkdirSync(source, { recursive: true });
  if (given === undefined) return makeSampleTree(source, new SeededRandom(20_261_120));
  // cp keeps what we want to compare: owners, modes, times, links, names that are not UTF-8.
  execFileSync('cp', ['-a', `${resolve(given)}/.`, source], { stdio: 'inherit' });
  return Promise.resolve();
}

function sayBackup(title: string, outcome: BackupOutcome): void {
  const { files, bytes, bytesUploaded, contentsNew, durationMs } = outcome;
  const share = formatShare(bytesUploaded, bytes);
  say(title, `${counted(files, 'file')}, ${formatBytes(bytes)} in ${formatDuration(durationMs)}`);
  say(
    '',
    `stored ${formatBytes(bytesUploaded)} (${share}) in ${counted(contentsNew, 'new content')}`,
  );
}

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Paths that the backup says it left out, as tree-listing.ts has them. */
function leftOut({ skipped }: BackupOutcome, source: string): Set<string> {
  return new Set(
    skipped.map(({ path }) => {
      const relative = path.startsWith(source) ? path.slice(source.length) : path;
      return relative.replace(/^\/+/, '') || '.';
    }),
  );
}

type Listing = readonly ListedEntry[];

function filesOf(listing: Listing): { files: number; bytes: number } {
  const files = listing.filter(({ type }) => type === 'f');
  return { files: files.length, bytes: files.reduce((sum, { size = 0 }) => sum + size, 0) };
}

async function demo(place: string, given: string | undefined): Promise<number> {
  const source = join(place, 'source');
  const url = pathToFileURL(join(place, 'repository')).href;
  mkdirSync(join(place, 'repository'));
  await makeSource(source, given);
  const before = await treeListing(source);
  const size = filesOf(before);
  console.log('\nStevedore: back up, change, back up again, restore both, compare\n');
  say('source', given === undefined ? 'a generated tree and our own sources' : resolve(given));
  say('', `${counted(size.files, 'file')}, ${formatBytes(size.bytes)}`);

  await createRepository({ url, password: PASSWORD, owner: { user: 'demo', host: 'localhost' } });
  await using repository = await openRepository({ url, password: PASSWORD });
  const recorded = { user: 'demo', host: 'localhost', path: given ?? '/demo' };
  const first = await backup(repository, { path: source, source: recorded });
  sayBackup('first backup', first);

  const [most = '', ...others] = await changeTree(source, new SeededRandom(2));
  say('a day later', most);
  say('', others.join(', '));
  const after = await treeListing(source);
  const second = await backup(repository, { path: source, source: recorded });
  sayBackup('second backup', second);
  const stored = bytesBelow(join(place, 'repository'));
  const bytes = size.bytes + filesOf(after).bytes;
  const share = formatShare(stored, bytes);
  say('repository', `${formatBytes(stored)} hold both, ${share} of their ${formatBytes(bytes)}`);

  const pairs: [string, BackupOutcome, Listing][] = [
    ['first', first, before],
    ['second', second, after],
  ];
  let differenceCount = 0;
  for (const [name, outcome, expected] of pairs) {
    const target = join(place, `restored-${name}`);
    const restored = await restore(repository, { snapshot: outcome.snapshotId, target });
    const ignored = leftOut(outcome, source);
    const wanted = expected.filter(({ path }) => !ignored.has(path));
    const differences = listingDifferences(wanted, await treeListing(target));
    differenceCount += differences.length;
    const isEqual = differences.length === 0;
    const verdict = isEqual ? '✓ every byte and attribute equal' : '✗ different';
    say(`${name} restored`, `in ${formatDuration(restored.durationMs)}: ${verdict}`);
    for (const line of differences.slice(0, DIFFERENCES_SHOWN_MAX)) console.log(`    ${line}`);
    for (const { message } of outcome.skipped) say('', `not stored: ${message}`);
  }
  return differenceCount;
}

const given = process.argv[2];
if (given !== undefined && !statSync(given, { throwIfNoEntry: false })?.isDirectory()) {
  process.stderr.write(`${resolve(given)} is not a directory; name one, or none\n`);
  process.exit(2);
}
const place = await mkdtemp(join(tmpdir(), 'stevedore-demo-'));
const started = performance.now();
const onSignal = () => {
  rmSync(place, { recursive: true, force: true });
  process.exit(130);
};
process.once('SIGINT', onSignal);
process.once('SIGTERM', onSignal);
try {
  const differenceCount = await demo(place, given);
  const took = formatDuration(performance.now() - started);
  console.log(
    differenceCount === 0
      ? `\nDone in ${took}: both snapshots came back as they were.\n`
      : `\nFailed: ${counted(differenceCount, 'difference')}.\n`,
  );
  process.exitCode = differenceCount === 0 ? 0 : 1;
} finally {
  rmSync(place, { recursive: true, force: true });
}
