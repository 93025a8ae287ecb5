// Everything about a cache that runs as plain numbers, for metrics and for whoever wants to look.

import { totalOf } from './accounts.ts';
import type { Cache } from './cache.ts';
import type { CacheStatistics } from './cache-statistics.ts';
import { distanceToLine, type CacheLimit } from './limit.ts';
import type { Shrink } from './notes-format.ts';
import { pinnedBytes } from './pinned.ts';
import { ENTRY_KINDS, type EntryKind } from './entry-table.ts';

/**
 * Entries by their kind; blocks that no entry has; tables, maps, notes, the directory; what others
 * put there.
 */
export type UsedClass = EntryKind | 'unused' | 'bookkeeping' | 'foreign';

export interface CacheStatus {
  /** Undefined before the disk could be looked at. */
  readonly limit: CacheLimit | undefined;
  readonly used: { readonly bytes: number; readonly inodes: number };
  /** All of `used.bytes`. */
  readonly usedByClass: Readonly<Record<UsedClass, number>>;
  readonly reservedBytes: number;
  /** What running plans will still read. */
  readonly pinnedBytes: number;
  readonly orphanedBytes: number;
  readonly entries: number;
  /** Of the file system; undefined before it could be looked at. */
  readonly freeBytes: number | undefined;
  /** Undefined where the kubelet has no line. */
  readonly distanceToLineBytes: number | undefined;
  readonly linesFrom: string | undefined;
  /** Reservations for which there was no room, most of which something made room for. */
  readonly refusedReservations: number;
  readonly statistics: Readonly<CacheStatistics>;
  /** Since this process has opened it. */
  readonly lastShrink: Shrink | undefined;
  /** Why there is no cache at the moment. */
  readonly obstacle: string | undefined;
}

/** Takes some 10 ms at most, by how much running plans have before them. */
export function cacheStatus(cache: Cache): CacheStatus {
  const { ledger, volume, disk, evictionLines, plans, statistics } = cache;
  const accounts = volume?.accounts.all() ?? [];
  const bytesOf = (kind: number): number =>
    accounts.reduce((sum, { bytes }) => sum + bytes[kind], 0);
  const [data, metadata, index] = ENTRY_KINDS.map((_, kind) => bytesOf(kind));
  const segmentBytes = volume?.segmentBytes() ?? 0;
  const foreign = volume?.foreignBytes() ?? 0;
  const used = ledger.used;
  return {
    limit: cache.limit,
    used,
    usedByClass: {
      data,
      metadata,
      index,
      unused: segmentBytes - data - metadata - index,
      bookkeeping: used.bytes - segmentBytes - foreign,
      foreign,
    },
    reservedBytes: ledger.reserved.bytes,
    pinnedBytes: volume ? pinnedBytes(plans, volume.table) : 0,
    orphanedBytes: accounts.reduce((sum, each) => sum + (each.isOrphan ? totalOf(each) : 0), 0),
    entries: volume?.table.count ?? 0,
    freeBytes: disk?.freeBytes,
    distanceToLineBytes: disk && distanceToLine(evictionLines?.lines ?? [], disk),
    linesFrom: evictionLines?.origin,
    refusedReservations: ledger.refusals,
    statistics,
    lastShrink: cache.lastShrink,
    obstacle: cache.obstacle,
  };
}
