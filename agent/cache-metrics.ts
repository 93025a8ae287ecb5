// What Prometheus is told about the cache. Labels come from fixed lists: reasons, classes, causes
// and codes, never a repository. docs/metrics.md has a row for each (a test compares the two).

import type { Cache, CacheStatus } from '#engine/index.ts';
import { cacheStatus } from '#engine/index.ts';
import { type MetricRow, registerMetrics, type Registry } from './prometheus.ts';

type Row = MetricRow<CacheStatus>;

const one = (value: number | undefined): [[], number][] =>
  value === undefined ? [] : [[[], value]];
const each = (values: Readonly<Record<string, number>>): [[string], number][] =>
  Object.entries(values).map(([label, value]) => [[label], value]);

/** What the engine's statistics may have. */
const NO_ERRORS = Object.freeze({
  ...{ EIO: 0, ENOSPC: 0, EDQUOT: 0, EROFS: 0, ENOENT: 0, EACCES: 0 },
  other: 0,
});

export const CACHE_METRICS: readonly Row[] = Object.freeze([
  {
    name: 'stevedore_cache_available',
    kind: 'gauge',
    help: 'Whether there is a cache: 1, or 0 while its directory cannot be used.',
    read: ({ obstacle }: CacheStatus) => one(obstacle === undefined ? 1 : 0),
  },
  {
    name: 'stevedore_cache_limit_bytes',
    kind: 'gauge',
    help: 'What the cache may take of its disk; the reason is the bound that is lowest now.',
    labels: ['reason'],
    read: ({ limit }: CacheStatus) => (limit ? [[[limit.bytes.reason], limit.bytes.amount]] : []),
  },
  {
    name: 'stevedore_cache_limit_inodes',
    kind: 'gauge',
    help: 'How many files it may have.',
    labels: ['reason'],
    read: ({ limit }: CacheStatus) => (limit ? [[[limit.inodes.reason], limit.inodes.amount]] : []),
  },
  {
    name: 'stevedore_cache_used_bytes',
    kind: 'gauge',
    help: 'What it takes of its disk; all classes together are what counts against the limit.',
    labels: ['class'],
    read: ({ usedByClass }: CacheStatus) => each(usedByClass),
  },
  {
    name: 'stevedore_cache_used_inodes',
    kind: 'gauge',
    help: 'Files that it has.',
    read: ({ used }: CacheStatus) => one(used.inodes),
  },
  {
    name: 'stevedore_cache_reserved_bytes',
    kind: 'gauge',
    help: 'Promised to segments that are being made.',
    read: ({ reservedBytes }: CacheStatus) => one(reservedBytes),
  },
  {
    name: 'stevedore_cache_pinned_bytes',
    kind: 'gauge',
    help: 'In the cache, and still to be read by a running restore.',
    read: ({ pinnedBytes }: CacheStatus) => one(pinnedBytes),
  },
  {
    name: 'stevedore_cache_orphaned_bytes',
    kind: 'gauge',
    help: 'Of repositories that were deleted or that nobody visits; about to go.',
    read: ({ orphanedBytes }: CacheStatus) => one(orphanedBytes),
  },
  {
    name: 'stevedore_cache_entries',
    kind: 'gauge',
    help: 'Stretches of blobs in it.',
    read: ({ entries }: CacheStatus) => one(entries),
  },
  {
    name: 'stevedore_cache_disk_free_bytes',
    kind: 'gauge',
    help: 'Free space of its file system.',
    read: ({ freeBytes }: CacheStatus) => one(freeBytes),
  },
  {
    name: 'stevedore_cache_eviction_line_distance_bytes',
    kind: 'gauge',
    help: "Free space above the kubelet's nearest eviction line; absent where none applies.",
    read: ({ distanceToLineBytes }: CacheStatus) => one(distanceToLineBytes),
  },
  {
    name: 'stevedore_cache_hits_total',
    kind: 'counter',
    help: 'Stretches that were read from it.',
    read: ({ statistics }: CacheStatus) => one(statistics.hits),
  },
  {
    name: 'stevedore_cache_misses_total',
    kind: 'counter',
    help: 'Stretches that were fetched from the storage.',
    read: ({ statistics }: CacheStatus) => one(statistics.misses),
  },
  {
    name: 'stevedore_cache_hit_bytes_total',
    kind: 'counter',
    help: 'Bytes that were read from it.',
    read: ({ statistics }: CacheStatus) => one(statistics.hitBytes),
  },
  {
    name: 'stevedore_cache_miss_bytes_total',
    kind: 'counter',
    help: 'Bytes that were fetched from the storage.',
    read: ({ statistics }: CacheStatus) => one(statistics.missBytes),
  },
  {
    name: 'stevedore_cache_stored_bytes_total',
    kind: 'counter',
    help: 'Bytes that were put into it.',
    read: ({ statistics }: CacheStatus) => one(statistics.storedBytes),
  },
  {
    name: 'stevedore_cache_evicted_bytes_total',
    kind: 'counter',
    help: 'Bytes that went, by cause.',
    labels: ['cause'],
    read: ({ statistics }: CacheStatus) => each(statistics.evictedBytes),
  },
  {
    name: 'stevedore_cache_refused_reservations_total',
    kind: 'counter',
    help: 'Times that the ledger had no room for a segment; something else then had to go.',
    read: ({ refusedReservations }: CacheStatus) => one(refusedReservations),
  },
  {
    name: 'stevedore_cache_refused_stores_total',
    kind: 'counter',
    help: 'Stretches that were handed on and not kept, or not in full.',
    read: ({ statistics }: CacheStatus) => one(statistics.refusals),
  },
  {
    name: 'stevedore_cache_errors_total',
    kind: 'counter',
    help: 'Errors of its disk, by the code of the system.',
    labels: ['code'],
    // From the start, so that a rate is there for the first one.
    read: ({ statistics }: CacheStatus) => each({ ...NO_ERRORS, ...statistics.errors }),
  },
] satisfies Row[]);

/** @throws Error when they are there already */
export function registerCacheMetrics(registry: Registry, cache: Cache): void {
  registerMetrics(registry, CACHE_METRICS, () => cacheStatus(cache));
}
