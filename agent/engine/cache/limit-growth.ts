// A limit that follows the disk down at once and up with delay: a neighbour who fills and frees the
// disk again and again must not make the cache throw away and fetch the same bytes each time.

import type { CacheLimit } from './limit.ts';

/** Quiet time after the last shrinking before the limit grows. */
export const GROWTH_DELAY_MS = 30_000;
/** What is gained has to be worth it. */
const GROWTH_SHARE_MIN = 0.05;
const GROWTH_BYTES_MIN = 64 * 1024 * 1024;

export interface SettledLimit {
  readonly limit: CacheLimit;
  /** Monotonic milliseconds of the last time that it became smaller. */
  readonly shrunkAtMs: number;
}

/** The limit that holds from now on, given the one until now and the one that the disk allows. */
export function settleLimit(
  before: SettledLimit | undefined,
  wanted: CacheLimit,
  nowMs: number,
): SettledLimit {
  if (before === undefined) return { limit: wanted, shrunkAtMs: Number.NEGATIVE_INFINITY };
  const { limit } = before;
  const isLess =
    wanted.bytes.amount < limit.bytes.amount || wanted.inodes.amount < limit.inodes.amount;
  if (isLess) return { limit: smallerOf(limit, wanted), shrunkAtMs: nowMs };
  const isQuiet = nowMs - before.shrunkAtMs >= GROWTH_DELAY_MS;
  const bytesGained = wanted.bytes.amount - limit.bytes.amount;
  const isWorthIt =
    bytesGained >= Math.min(GROWTH_BYTES_MIN, limit.bytes.amount * GROWTH_SHARE_MIN) ||
    wanted.inodes.amount > limit.inodes.amount;
  return isQuiet && isWorthIt ? { limit: wanted, shrunkAtMs: before.shrunkAtMs } : before;
}

function smallerOf(a: CacheLimit, b: CacheLimit): CacheLimit {
  return {
    bytes: b.bytes.amount < a.bytes.amount ? b.bytes : a.bytes,
    inodes: b.inodes.amount < a.inodes.amount ? b.inodes : a.inodes,
  };
}
