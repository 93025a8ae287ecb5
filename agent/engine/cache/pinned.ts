// How much of the cache running plans hold: what they will still read.

import type { EntryTable } from './entry-table.ts';
import type { HasEntries, PlannedUses } from './planned-uses.ts';

/** Takes time by the windows that are planned and cached: some milliseconds for 10 GiB. */
export function pinnedBytes(plans: PlannedUses, table: EntryTable): number {
  if (plans.isEmpty) return 0;
  const rows = new Set<number>();
  const hasEntries: HasEntries = (key, window) => table.inWindow(key, window).next().done !== true;
  for (const { key, window } of plans.fromTheEnd(hasEntries)) {
    for (const row of table.inWindow(key, window)) rows.add(row);
  }
  let bytes = 0;
  for (const row of rows) bytes += table.columns.length[row];
  return bytes;
}
