// Reads files that were restored again and compares them with the hashes that name their contents,
// in a worker thread; and those that were believed to have the bytes by their size and time.

import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import { otherBytesAt } from './chunk-bytes.ts';
import { ENTRY_ACTION, ENTRY_FLAG, ENTRY_KIND } from './plan-tables.ts';
import type { WorkOutcome } from './restore-tasks.ts';
import type { RestoreThread } from './restore-thread.ts';
import { WorkTally } from './work-tally.ts';

/**
 * Files of which the outcome says that they have their bytes. A link leads to one of these, or to a
 * kept one that was read before (examine-existing.ts).
 */
const CLAIMED: ReadonlySet<number> = new Set([
  ENTRY_ACTION.make,
  ENTRY_ACTION.update,
  ENTRY_ACTION.settle,
]);

export function verifyRows(thread: RestoreThread, rows: Uint32Array): WorkOutcome {
  const tally = new WorkTally();
  const { kind, action, flags } = thread.view.entries;
  for (const row of rows) {
    thread.throwIfStopped();
    const isDamaged = (flags[row] & ENTRY_FLAG.damaged) !== 0;
    if (kind[row] !== ENTRY_KIND.file || !CLAIMED.has(action[row]) || isDamaged) continue;
    try {
      verifyFile(thread, row, tally);
    } catch (error) {
      if (!isOfOneEntry(error)) throw error;
      tally.failure(row, error);
    }
  }
  return tally.outcome();
}

function verifyFile(thread: RestoreThread, row: number, tally: WorkTally): void {
  const at = otherBytesAt(thread, row);
  if (at === undefined) return;
  const found = `other bytes at ${at}`;
  tally.differ(row, [{ attribute: 'content', expected: 'as in the snapshot', found }]);
}
