// The first act: a directory is backed up, changed, backed up again; both snapshots are restored,
// and every byte and attribute is compared.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { counted, formatBytes, formatDuration, formatShare } from '#engine/cli/quantity.ts';
import { backup, createRepository, openRepository, restore } from '#engine/index.ts';
import { SeededRandom } from '#test/support/random.ts';
import { type ListedEntry, listingDifferences, treeListing } from '#test/support/tree-listing.ts';
import { changeTree } from './change-tree.ts';
import { makeSampleTree } from './sample-tree.ts';
import { PASSWORD, say } from './say.ts';

type BackupOutcome = Awaited<ReturnType<typeof backup>>;

const DIFFERENCES_SHOWN_MAX = 20;

export function makeSource(source: string, given: string | undefined): Promise<void> {
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

/** How many differences there were. */
export async function engineStory(
  place: string,
  { given }: { readonly given: string | undefined },
): Promise<number> {
  const source = join(place, 'source');
  const url = pathToFileURL(join(place, 'repository')).href;
  mkdirSync(join(place, 'repository'), { recursive: true });
  await makeSource(source, given);
  const before = await treeListing(source);
  const size = filesOf(before);
  console.log('\nThe engine: back up, change, back up again, restore both, compare\n');
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
