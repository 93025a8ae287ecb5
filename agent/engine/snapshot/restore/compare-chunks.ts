// Finds out which chunks of large files the target has already, in a worker thread: some at a
// time, so that several threads read one file, others have their turn in between, and it shows.

import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import { markIfThere } from './examine-existing.ts';
import { openExisting } from './open-existing.ts';
import { ENTRY_ACTION } from './plan-tables.ts';
import type { CompareOutcome } from './restore-tasks.ts';
import type { RestoreThread } from './restore-thread.ts';
import { WorkTally } from './work-tally.ts';

/** Marks those of `chunks` whose bytes are where they belong. */
export function compareChunks(thread: RestoreThread, chunks: Uint32Array): CompareOutcome {
  const tally = new WorkTally();
  const { entries, chunks: columns } = thread.view;
  const access = thread.run.isDryRun ? 'read' : 'write';
  let presentBytes = 0;
  for (const chunk of chunks) {
    thread.throwIfStopped();
    const row = columns.entry[chunk];
    if (entries.action[row] !== ENTRY_ACTION.update) continue;
    try {
      const file = thread.openFile(row, () => openExisting(thread, row, access));
      presentBytes += markIfThere(thread, file, chunk);
    } catch (error) {
      if (!isOfOneEntry(error)) throw error;
      tally.failure(row, error);
      entries.action[row] = ENTRY_ACTION.failed;
    }
  }
  return { presentBytes, problems: tally.outcome().problems };
}
