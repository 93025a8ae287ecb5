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

export interface FoundRow<Source = Segment> {
  readonly segment: Source;
  readonly slot: number;
  readonly row: EntryRow;
  readonly blocks: number;
}

const STEP_BYTES = 64 * 1024;

/** Rows of all segments, the newest first. Segments that cannot be read have none. */
export async function readRows<Source extends TableSource>(
  segments: readonly Source[],
  signal: AbortSignal | undefined,
): Promise<FoundRow<Source>[]> {
  const found: FoundRow<Source>[] = [];
  for (const segment of segments) {
    throwIfAborted(signal);
    try {
      await readTable(segment, found);
    } catch {
      // Given back meanwhile, or unreadable: its entries are misses.
    }
  }
  return found.sort((a, b) => b.row.sequence - a.row.sequence);
}

async function readTable<Source extends TableSource>(
  segment: Source,
  found: FoundRow<Source>[],
): Promise<void> {
  const tableBytes = rowCount(segment.bytes) * ROW_BYTES;
  for (let position = 0; position < tableBytes; position += STEP_BYTES) {
    const step = Buffer.allocUnsafe(Math.min(STEP_BYTES, tableBytes - position));
    if ((await segment.readAt(position, step)) !== step.length) return;
    for (let at = position === 0 ? ROW_BYTES : 0; at < step.length; at += ROW_BYTES) {
      const row = decodeRow(step, at);
      if (row === undefined || !isPlausible(row, segment.bytes)) continue;
      const blocks = Math.ceil(row.length / BLOCK_BYTES);
      found.push({ segment, slot: (position + at) / ROW_BYTES, row, blocks });
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
