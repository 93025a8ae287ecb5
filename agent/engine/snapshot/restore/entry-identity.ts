// That an entry of the target is still what it was, in directories that were there before: others
// may write to them while we restore. What has come meanwhile is neither written to nor removed.

import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { ENTRY_FLAG, type EntryColumns } from './plan-tables.ts';
import type { RestoreThread } from './restore-thread.ts';

/** Scratch of this thread; nothing in here waits. */
const stat = new TargetStat();

/** Notes which file a row's is, for isSameFile. */
export function noteFile(entries: EntryColumns, row: number, found: TargetStat): void {
  entries.inodeLow[row] = found.inodeLow;
  entries.inodeHigh[row] = found.inodeHigh;
}

/** Whether the file is the one that was noted; true where none was. */
export function isSameFile(entries: EntryColumns, row: number, found: TargetStat): boolean {
  const low = entries.inodeLow[row];
  const high = entries.inodeHigh[row];
  return (low === 0 && high === 0) || (low === found.inodeLow && high === found.inodeHigh);
}

/** Notes what has the name of a row and is to give way to it. */
export function noteOccupant(entries: EntryColumns, row: number, found: TargetStat): void {
  entries.occupant[row] = sumOf(found);
  Atomics.or(entries.flags, row, ENTRY_FLAG.occupied);
}

/**
 * Removes what had the name of a row when it was looked at, where that is to give way (which a
 * directory never is). What has the name now and is something else stays: another entry of the
 * snapshot where the target takes both names for one, or somebody's.
 */
export function removeOccupant(
  thread: RestoreThread,
  row: number,
  parent: number,
  name: Uint8Array,
): void {
  const { view, fileSystem } = thread;
  const { entries } = view;
  if ((Atomics.load(entries.flags, row) & ENTRY_FLAG.occupied) === 0) return;
  const directory = thread.directoryAt(parent);
  if (!fileSystem.statAt(directory, name, stat) || entries.occupant[row] !== sumOf(stat)) return;
  fileSystem.remove(directory, name);
}

/** Without the inode: some FUSE file systems have another for each look. */
function sumOf({ type, size, mtimeSeconds, mtimeNanoseconds }: TargetStat): number {
  let sum = 0x811c_9dc5;
  for (const value of [type, size, size / 0x1_0000_0000, mtimeSeconds, mtimeNanoseconds]) {
    sum = Math.imul(sum ^ (value >>> 0), 0x0100_0193);
  }
  return sum >>> 0;
}
