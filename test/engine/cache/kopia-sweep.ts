// What kopia's cache lets go, and when (kopia v0.23.1, internal/cache/persistent_lru_cache.go:
// sweepLocked). The time of an entry is that of its file: of writing, and of a use only if that
// comes ten minutes after the last time. Above the size that is wanted the oldest goes if it is ten
// minutes old; above the hard limit it goes in any case.

import { type EntryTable, NO_ENTRY } from '#engine/cache/entry-table.ts';
import { EntryQueue, type EvictionPolicy } from '#engine/cache/eviction-policy.ts';

/** DefaultTouchThreshold, and DefaultDataCacheSweepAge (repo/content/committed_read_manager.go). */
const TEN_MINUTES_S = 600;
/** Velero asks for four fifths of the hard limit. */
const WANTED_SHARE = 0.8;

export interface SweepingPolicy extends EvictionPolicy {
  /** An entry that goes although there is room, or NO_ENTRY. */
  overdue(capacityBytes: number, newBytes: number): number;
}

/** @param now seconds, of the replay */
export function kopiaSweep(table: EntryTable, now: () => number): SweepingPolicy {
  const queue = new EntryQueue(table);
  const times = new Map<number, number>();
  const timeOf = (row: number): number => times.get(row) ?? 0;
  const put = (row: number): void => {
    times.set(row, now());
    queue.push(row);
  };
  return {
    added: put,
    used: row => {
      if (now() - timeOf(row) < TEN_MINUTES_S) return;
      queue.remove(row);
      put(row);
    },
    removed: row => queue.remove(row),
    victim: () => queue.tail,
    overdue: (capacityBytes, newBytes) => {
      const row = queue.tail;
      const isWanted = queue.bytes + newBytes <= capacityBytes * WANTED_SHARE;
      const isOld = row !== NO_ENTRY && now() - timeOf(row) >= TEN_MINUTES_S;
      return !isWanted && isOld ? row : NO_ENTRY;
    },
  };
}
