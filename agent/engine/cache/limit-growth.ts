// A limit that follows the disk down at once and up with delay: a neighbour who fills and frees the
// disk again and again must not make the cache throw away and fetch the same bytes each time.

import type { CacheLimit } from './limit.ts';

/** Quiet time after the last shrinking before the limit grows. */
export const GROWTH_DELAY_MS = 30_000;
/** What is gained has to be worth it. */
const GROWTH_SHARE_MIN = 0.05;
const GROWTH_BYTES_MIN = 64 * 1024 * 1024;

/**
 * A volume that has grown by this much holds at once what it may: somebody made it larger, and it
 * will not be smaller again with the next neighbour. File systems that share a pool (ZFS) have
 * another size all the time.
 */
const RESIZED_SHARE_MIN = 0.01;

export interface SettledLimit {
  readonly limit: CacheLimit;
  /** Of the file system, when it was settled; the least size since. */
  readonly totalBytes: number;
  /** Monotonic milliseconds of the last time that it became smaller. */
  readonly shrunkAtMs: number;
}

/** One look at the disk. */
export interface Look {
  readonly nowMs: number;
  readonly totalBytes: number;
}

/** The limit that holds from now on, given the one until now and the one that the disk allows. */
export function settleLimit(
  before: SettledLimit | undefined,
  wanted: CacheLimit,
  { nowMs, totalBytes: totalNow }: Look,
): SettledLimit {
  const shrunkAtMs = before?.shrunkAtMs ?? Number.NEGATIVE_INFINITY;
  if (before === undefined) return { limit: wanted, totalBytes: totalNow, shrunkAtMs };
  const { limit } = before;
  const totalBytes = Math.min(before.totalBytes, totalNow);
  const isLess =
    wanted.bytes.amount < limit.bytes.amount || wanted.inodes.amount < limit.inodes.amount;
  if (isLess) return { limit: smallerOf(limit, wanted), totalBytes, shrunkAtMs: nowMs };
  const isResized = totalNow > totalBytes * (1 + RESIZED_SHARE_MIN);
  const isQuiet = nowMs - shrunkAtMs >= GROWTH_DELAY_MS;
  const bytesGained = wanted.bytes.amount - limit.bytes.amount;
  const isWorthIt =
    bytesGained >= Math.min(GROWTH_BYTES_MIN, limit.bytes.amount * GROWTH_SHARE_MIN) ||
    wanted.inodes.amount > limit.inodes.amount;
  const isGrowing = isResized || (isQuiet && isWorthIt);
  if (isGrowing) return { limit: wanted, totalBytes: totalNow, shrunkAtMs };
  return { ...before, totalBytes };
}

function smallerOf(a: CacheLimit, b: CacheLimit): CacheLimit {
  return {
    bytes: b.bytes.amount < a.bytes.amount ? b.bytes : a.bytes,
    inodes: b.inodes.amount < a.inodes.amount ? b.inodes : a.inodes,
  };
}
