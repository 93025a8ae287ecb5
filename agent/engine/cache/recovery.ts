// What the tables of segments say after a restart, whatever ended the last run. Nothing is believed
// that could do harm: a row is whole or is none, two rows that claim the same blocks are told apart
// by their numbers, and whether the bytes are those of the row shows when they are read.

import { throwIfAborted } from '#engine/base/abort.ts';
import { ENTRY_KINDS, WINDOW_BYTES, windowOf } from './entry-table.ts';
import type { Segment } from './segment.ts';
import {
  BLOCK_BYTES,
  blockCount,
  decodeRow,
  type EntryRow,
  ROW_BYTES,
  rowCount,
  tableBlocks,
} from './segment-format.ts';

/** What a table is read from. */
export type TableSource = Pick<Segment, 'bytes' | 'readAt'>;

export interface FoundRow {
  readonly slot: number;
  readonly row: EntryRow;
  readonly blocks: number;
}

export interface FoundTable<Source> {
  readonly segment: Source;
  /** The newest first. */
  readonly rows: readonly FoundRow[];
}

const STEP_BYTES = 64 * 1024;

/**
 * The rows of one segment after the other, so that no more than one table is in memory at a time.
 * Segments that cannot be read have none. The thread is free between two steps of a table.
 */
export async function* readTables<Source extends TableSource>(
  segments: readonly Source[],
  signal?: AbortSignal,
): AsyncGenerator<FoundTable<Source>> {
  for (const segment of segments) {
    throwIfAborted(signal);
    const rows: FoundRow[] = [];
    try {
      await readTable(segment, rows);
    } catch {
      // Given back meanwhile, or unreadable: its entries are misses.
    }
    rows.sort((a, b) => b.row.sequence - a.row.sequence);
    yield { segment, rows };
  }
}

async function readTable(segment: TableSource, found: FoundRow[]): Promise<void> {
  const tableBytes = rowCount(segment.bytes) * ROW_BYTES;
  for (let position = 0; position < tableBytes; position += STEP_BYTES) {
    const step = Buffer.allocUnsafe(Math.min(STEP_BYTES, tableBytes - position));
    if ((await segment.readAt(position, step)) !== step.length) return;
    for (let at = position === 0 ? ROW_BYTES : 0; at < step.length; at += ROW_BYTES) {
      const row = decodeRow(step, at);
      if (row === undefined || !isPlausible(row, segment.bytes)) continue;
      const blocks = Math.ceil(row.length / BLOCK_BYTES);
      found.push({ slot: (position + at) / ROW_BYTES, row, blocks });
    }
    // Rows are handed out from the front and never become zeros again but by a deletion.
    if (step.subarray(-BLOCK_BYTES).every(byte => byte === 0)) return;
  }
}

function isPlausible({ offset, length, block, kind, sequence }: EntryRow, bytes: number): boolean {
  const blocks = Math.ceil(length / BLOCK_BYTES);
  return (
    block >= tableBlocks(bytes) &&
    block + blocks <= blockCount(bytes) &&
    windowOf(offset) === windowOf(offset + length - 1) &&
    length <= WINDOW_BYTES &&
    kind < ENTRY_KINDS.length &&
    Number.isSafeInteger(sequence) &&
    sequence > 0
  );
}
