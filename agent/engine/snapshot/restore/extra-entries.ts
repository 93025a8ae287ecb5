// What a directory of the target holds and the snapshot does not, and removing it where that was
// asked for, in a worker thread.

import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { removeTree } from '#engine/snapshot/target/remove-tree.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { DIRECTORY_STATE } from './plan-tables.ts';
import type { ExtraInput, ExtraOutcome } from './restore-tasks.ts';
import type { RestoreThread } from './restore-thread.ts';
import { directoryName, entryName } from './section-rows.ts';
import { WorkTally } from './work-tally.ts';

type ListedDirectory = ExtraInput['directories'][number];

/** Looks at directories that were there before; new ones hold nothing extra. */
export function removeExtra(
  thread: RestoreThread,
  { directories, isDryRun }: ExtraInput,
): ExtraOutcome {
  const tally = new WorkTally({ isDirectory: true });
  const removed: { row: number; name: Uint8Array }[] = [];
  const { state } = thread.view.directories;
  for (const directory of directories) {
    thread.throwIfStopped();
    if (state[directory.row] === DIRECTORY_STATE.mounted) {
      nameMounted(thread, directory, tally);
      continue;
    }
    for (const name of extraNames(thread, directory)) {
      thread.throwIfStopped();
      try {
        if (!isDryRun) {
          removeTree(thread.fileSystem, thread.directoryAt(directory.row), name, {
            checkpoint: () => thread.throwIfStopped(),
          });
        }
        removed.push({ row: directory.row, name });
      } catch (error) {
        if (!isOfOneEntry(error)) throw error;
        tally.failure(directory.row, error);
      }
    }
  }
  return { removed, problems: tally.outcome().problems };
}

/** No mount is crossed to remove something, and what stays is named. */
function nameMounted(thread: RestoreThread, directory: ListedDirectory, tally: WorkTally): void {
  const { length } = extraNames(thread, directory);
  if (length === 0) return;
  const found = `${length} more, which stay: another file system is mounted there`;
  const expected = 'only entries of the snapshot';
  tally.differ(directory.row, [{ attribute: 'extra', expected, found }]);
}

function extraNames(thread: RestoreThread, directory: ListedDirectory): Uint8Array[] {
  const { fileSystem, run, view } = thread;
  const listed = thread.directoryAt(directory.row);
  const { directoriesFrom, directoriesTo, entriesFrom, entriesTo } = directory;
  const directories = keysOf(directoriesFrom, directoriesTo, row => directoryName(view, row));
  const entries = keysOf(entriesFrom, entriesTo, row => entryName(view, row));
  const listing = new SourceListing();
  fileSystem.list(listed, listing);
  const stat = new TargetStat();
  return Array.from(listing.order, index => listing.nameAt(index).slice()).filter(isExtra);

  function isExtra(name: Uint8Array): boolean {
    const key = keyOf(name);
    if (directories.has(key)) return false;
    if (!entries.has(key)) return true;
    // What is beneath a directory that is a file in the snapshot is not in the snapshot.
    return run.overwrite !== 'never' && fileSystem.statAt(listed, name, stat) && stat.isDirectory;
  }
}

/** Keys of the names at rows `from` to before `to`. */
function keysOf(from: number, to: number, nameAt: (row: number) => Uint8Array): Set<string> {
  const keys = new Set<string>();
  for (let row = from; row < to; row++) keys.add(keyOf(nameAt(row)));
  return keys;
}

function keyOf(name: Uint8Array): string {
  return Buffer.from(name).toString('latin1');
}
