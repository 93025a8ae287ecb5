// How the node does, as heartbeats tell it. For people and metrics; nothing is granted by it.

import { type Cache, cacheStatus, type CacheStatus } from '#engine/index.ts';
import type { NodeCondition } from '#agent/coordinator/slot-keeper.ts';

/** @param memoryLimitBytes what the control group of this process allows; undefined for no limit */
export function nodeCondition(
  cache: Cache | undefined,
  memoryLimitBytes: number | undefined,
): Omit<NodeCondition, 'moves' | 'failed'> {
  const status = cache && cacheStatus(cache);
  const limit = status?.limit?.bytes;
  return {
    // What lies in memory takes nothing of a disk.
    diskFreeBytes: cache?.location?.kind === 'tmpfs' ? undefined : status?.freeBytes,
    cache: status &&
      limit && {
        limitBytes: limit.amount,
        usedBytes: status.used.bytes,
        reservedBytes: status.reservedBytes,
        evictionLineBytes: lineOf(status),
      },
    memory: { usedBytes: process.memoryUsage.rss(), limitBytes: memoryLimitBytes },
  };
}

/** The free space at which the nearest line is. */
function lineOf({ freeBytes, distanceToLineBytes }: CacheStatus): number | undefined {
  if (freeBytes === undefined || distanceToLineBytes === undefined) return undefined;
  return Math.max(0, Math.round(freeBytes - distanceToLineBytes));
}
