// How much of the cache running plans hold: what they will still read.

import type { EntryTable } from './entry-table.ts';
import type { PlannedUses } from './planned-uses.ts';

/** Windows of plans that are looked at, some 10 ms; of more the sum is that of the first ones. */
export const PINNED_WINDOWS_MAX = 65_536;

export function pinnedBytes(plans: PlannedUses, table: EntryTable): number {
  if (plans.isEmpty || table.count === 0) return 0;
  const rows = new Set<number>();
  let looks = 0;
  for (const { key, window } of plans.ahead()) {
    if (++looks > PINNED_WINDOWS_MAX) break;
    for (const row of table.inWindow(key, window)) rows.add(row);
  }
  let bytes = 0;
  for (const row of rows) bytes += table.columns.length[row];
  return bytes;
}
