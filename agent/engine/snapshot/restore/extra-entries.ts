// What a directory of the target holds and the snapshot does not, and removing it where that was
// asked for, in a worker thread.

import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { removeTree } from '#engine/snapshot/target/remove-tree.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { DIRECTORY_STATE, type SectionView } from './plan-tables.ts';
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
    if (state[directory.row] !== DIRECTORY_STATE.kept) continue;
    for (const name of extraNames(thread, directory)) {
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

function extraNames(thread: RestoreThread, directory: ListedDirectory): Uint8Array[] {
  const { fileSystem, run, view } = thread;
  const listed = thread.directoryAt(directory.row);
  const directories = plannedDirectories(view, directory);
  const entries = plannedEntries(view, directory);
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

function plannedDirectories(view: SectionView, planned: ListedDirectory): ReadonlySet<string> {
  const names = new Set<string>();
  for (let row = planned.directoriesFrom; row < planned.directoriesTo; row++) {
    names.add(keyOf(directoryName(view, row)));
  }
  return names;
}

function plannedEntries(view: SectionView, planned: ListedDirectory): ReadonlySet<string> {
  const names = new Set<string>();
  for (let row = planned.entriesFrom; row < planned.entriesTo; row++) {
    names.add(keyOf(entryName(view, row)));
  }
  return names;
}

function keyOf(name: Uint8Array): string {
  return Buffer.from(name).toString('latin1');
}
