// What a directory of the target holds and the snapshot does not, and removing it where that was
// asked for, in a worker thread.

import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { assertRemovable, removeTree } from '#engine/snapshot/target/remove-tree.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { DIRECTORY_STATE } from './plan-tables.ts';
import type { ExtraInput, ExtraOutcome } from './restore-tasks.ts';
import type { RestoreThread } from './restore-thread.ts';
import { directoryName, entryName } from './section-rows.ts';
import { SparedDirectory } from './spared-directory.ts';
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
  const repository = new SparedDirectory(thread);
  const { stat: spared } = repository;
  for (const directory of directories) {
    thread.throwIfStopped();
    if (state[directory.row] === DIRECTORY_STATE.mounted) {
      nameStaying(thread, directory, tally, 'another file system is mounted there');
      continue;
    }
    if (repository.holds(directory.row)) {
      nameStaying(thread, directory, tally, 'the repository is there');
      continue;
    }
    for (const name of extraNames(thread, directory)) {
      thread.throwIfStopped();
      try {
        const parent = thread.directoryAt(directory.row);
        if (isDryRun) {
          assertRemovable(thread.fileSystem, parent, name, { spared });
        } else {
          const checkpoint = () => thread.throwIfStopped();
          removeTree(thread.fileSystem, parent, name, { checkpoint, spared });
        }
        removed.push({ row: directory.row, name });
      } catch (error) {
        if (!isOfOneEntry(error)) throw error;
        if (error.code === 'TARGET_ENTRY_REFUSED') tellExtra(directory, tally, error.message);
        else tally.failure(directory.row, error);
      }
    }
  }
  return { removed, problems: tally.outcome().problems };
}

/** No mount is crossed to remove something, the repository is left, and what stays is named. */
function nameStaying(
  thread: RestoreThread,
  directory: ListedDirectory,
  tally: WorkTally,
  reason: string,
): void {
  const { length } = extraNames(thread, directory);
  if (length === 0) return;
  tellExtra(directory, tally, `${length} more, which stay: ${reason}`);
}

function tellExtra({ row }: ListedDirectory, tally: WorkTally, found: string): void {
  const expected = 'only entries of the snapshot';
  tally.differ(row, [{ attribute: 'extra', expected, found }]);
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
