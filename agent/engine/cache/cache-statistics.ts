// What the cache has done so far, as plain numbers. The engine knows no Prometheus; who keeps the
// metrics reads these.

import type { EvictionCause } from './cache-volume.ts';

export class CacheStatistics {
  hits = 0;
  hitBytes = 0;
  misses = 0;
  missBytes = 0;
  storedBytes = 0;
  /** Entries that did not get in because nothing less valuable could go. */
  refusals = 0;
  /** By the code of the system, and `other`. */
  readonly errors: Record<string, number> = {};
  readonly evictedBytes: Record<EvictionCause, number> = {
    room: 0,
    orphan: 0,
    limit: 0,
    damage: 0,
    deleted: 0,
  };

  noteError(systemCode: string | undefined): void {
    const label = systemCode !== undefined && KNOWN.has(systemCode) ? systemCode : 'other';
    this.errors[label] = (this.errors[label] ?? 0) + 1;
  }
}

/** A bounded set of labels. */
const KNOWN: ReadonlySet<string> = new Set([
  'EIO',
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'ENOENT',
  'EACCES',
]);
