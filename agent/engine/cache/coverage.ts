// Which parts of a stretch of a blob are in the cache. Pure but for the table it looks into.

import type { BlobKey } from './blob-key.ts';
import { ENTRY_FLAG, type EntryTable, NO_ENTRY, windowOf } from './entry-table.ts';

/** From `from` to before `to`, within the blob. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Part extends Span {
  /** The entry that has it, or NO_ENTRY. */
  readonly row: number;
}

/** The span in parts, in order, without gaps. */
export function coverage(table: EntryTable, key: BlobKey, { from, to }: Span): Part[] {
  const { offset, length } = table.columns;
  const rows: number[] = [];
  for (let window = windowOf(from); window <= windowOf(to - 1); window++) {
    for (const row of table.inWindow(key, window)) {
      if (offset[row] < to && offset[row] + length[row] > from) rows.push(row);
    }
  }
  rows.sort((a, b) => offset[a] - offset[b]);
  const parts: Part[] = [];
  let at = from;
  for (const row of rows) {
    const start = Math.max(at, offset[row]);
    const end = Math.min(to, offset[row] + length[row]);
    if (end <= at) continue;
    if (start > at) parts.push({ from: at, to: start, row: NO_ENTRY });
    parts.push({ from: start, to: end, row });
    at = end;
  }
  if (at < to) parts.push({ from: at, to, row: NO_ENTRY });
  return parts;
}

/** Length of a blob of which everything is there up to its end; undefined otherwise. */
export function wholeLength(table: EntryTable, key: BlobKey): number | undefined {
  const { offset, length, flags } = table.columns;
  for (let at = 0; ;) {
    let next = at;
    for (const row of table.inWindow(key, windowOf(at))) {
      if (offset[row] !== next) continue;
      next = offset[row] + length[row];
      if ((flags[row] & ENTRY_FLAG.isLast) !== 0) return next;
      break;
    }
    if (next === at) return undefined;
    at = next;
  }
}
