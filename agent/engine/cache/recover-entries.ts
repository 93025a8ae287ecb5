// Makes the entries of segments known again, beside everything else that the thread has to do: the
// look at the disk and the answers of the agent wait for a few milliseconds at most. Of an entry
// that is not known yet there is its row in the table of entries and 12 bytes for its place in the
// order, and no object.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Accounts } from './accounts.ts';
import type { EntryTable } from './entry-table.ts';
import { type FoundRow, type FoundTable, readTables } from './recovery.ts';
import type { Segment } from './segment.ts';
import { inSequence, type SequenceRun } from './sequence-merge.ts';

export interface RecoveryBooks {
  readonly table: EntryTable;
  readonly accounts: Accounts;
  readonly isClosed: () => boolean;
  /** Told of each number that a row has. */
  readonly onSequence: (sequence: number) => void;
  /** Makes an entry known, or gives its room back where its bytes are known already. */
  readonly publish: (segment: Segment, row: number) => void;
}

/** Of one segment, what is not known yet. */
interface ClaimedRun extends SequenceRun {
  readonly segment: Segment;
  /** In the table of entries. */
  readonly rows: Uint32Array;
}

/** Entries that become known in one turn, which takes some 3 ms. */
const ENTRIES_A_TURN = 1024;

/** Others may read and store meanwhile. */
export async function recoverEntries(
  segments: readonly Segment[],
  books: RecoveryBooks,
  signal?: AbortSignal,
): Promise<void> {
  const runs: ClaimedRun[] = [];
  for await (const found of readTables(segments, signal)) {
    if (books.isClosed()) return;
    runs.push(claim(found, books));
  }
  // The oldest first, as they came then, so that the policy finds them in that order.
  let done = 0;
  for (const { segment, rows, at } of inSequence(runs)) {
    if (segment.isDropped) books.table.recycle(rows[at]);
    else books.publish(segment, rows[at]);
    if (++done % ENTRIES_A_TURN !== 0) continue;
    await nextTurn();
    if (books.isClosed()) return;
  }
}

/** Of rows that claim the same blocks the newest gets them, unless somebody has them by now. */
function claim({ segment, rows: found }: FoundTable<Segment>, books: RecoveryBooks): ClaimedRun {
  const claimed = found.filter(each => isMarked(segment, each)).reverse();
  const sequences = new Float64Array(claimed.length);
  const rows = new Uint32Array(claimed.length);
  for (const [at, { slot, row }] of claimed.entries()) {
    books.onSequence(row.sequence);
    sequences[at] = row.sequence;
    rows[at] = books.table.prepare({
      key: { a: row.keyA, b: row.keyB },
      offset: row.offset,
      length: row.length,
      check: { a: row.checkA, b: row.checkB },
      segment: segment.index,
      slot,
      block: row.block,
      repository: books.accounts.indexOf({ a: row.repositoryA, b: row.repositoryB }),
      kind: row.kind,
      isLast: row.isLast,
    });
  }
  return { segment, rows, sequences, at: 0 };
}

function isMarked(segment: Segment, { slot, row, blocks }: FoundRow): boolean {
  const run = { start: row.block, length: blocks };
  const slotRun = { start: slot, length: 1 };
  const isFree = !segment.isDropped && segment.blocks.isFree(run) && segment.slots.isFree(slotRun);
  if (!isFree) return false;
  segment.blocks.mark(run);
  segment.slots.mark(slotRun);
  return true;
}
