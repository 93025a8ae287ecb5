// Least recently used goes first. For comparison, and for what is used evenly.

import { type EntryTable, NO_ENTRY } from '#engine/cache/entry-table.ts';
import {
  EntryQueue,
  type EvictionPolicy,
  type IsFree,
  PASSED_OVER_MAX,
} from '#engine/cache/eviction-policy.ts';

export function lru(table: EntryTable): EvictionPolicy {
  const queue = new EntryQueue(table);
  return {
    added: row => queue.push(row),
    used: row => queue.renew(row),
    removed: row => queue.remove(row),
    victim(isFree: IsFree): number {
      let row = queue.tail;
      for (let looks = 0; row !== NO_ENTRY && looks < PASSED_OVER_MAX; looks++) {
        if (isFree(row)) return row;
        row = table.columns.before[row];
      }
      return NO_ENTRY;
    },
  };
}
