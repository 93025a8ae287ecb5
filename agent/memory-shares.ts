// What of the memory that the process may take is for its cache, where that lies in memory, and
// what is for its repositories: the control group counts both. Pure.

import { MEMORY_BYTES_MIN } from '#engine/base/memory-plan.ts';
import type { AgentConfig } from './config-table.ts';

export interface MemoryShares {
  /** Bytes that a cache may take where its directory is in memory. */
  readonly cacheBytes: number;
  /** Bytes for everything else. */
  readonly processBytes: number;
}

type Asked = Pick<AgentConfig, 'memory' | 'cacheMemory' | 'cacheLimit'>;

/** Of what there is, where nobody says. */
const CACHE_SHARE = 0.25;

/**
 * What the process is told to take it gets, and it never has less than it can work with; the cache
 * has what is left of that at most, however much was asked for.
 * @param allowedBytes what the process may take in all
 * @param isCacheInMemory false where a cache takes nothing of it
 */
export function memoryShares(
  { memory, cacheMemory, cacheLimit }: Asked,
  { allowedBytes, isCacheInMemory }: { allowedBytes: number; isCacheInMemory: boolean },
): MemoryShares {
  const ownShare = memory === undefined ? allowedBytes * CACHE_SHARE : allowedBytes - memory;
  const wanted = Math.min(cacheMemory ?? ownShare, cacheLimit?.absoluteBytes ?? Infinity);
  const leftBytes = Math.max(0, allowedBytes - (memory ?? MEMORY_BYTES_MIN));
  const cacheBytes = Math.floor(Math.min(Math.max(0, wanted), leftBytes));
  const restBytes = allowedBytes - (isCacheInMemory ? cacheBytes : 0);
  return { cacheBytes, processBytes: memory ?? Math.max(MEMORY_BYTES_MIN, restBytes) };
}
