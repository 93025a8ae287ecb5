// The cache of this node, or none: whatever is wrong with its directory, moves go on without it.

import { isEngineError, messageOf } from '#engine/base/errors.ts';
import { Cache, type CacheEvent, type CacheShare } from '#engine/index.ts';
import type { AgentConfig } from './config-table.ts';
import type { Log } from './log.ts';

const LIMIT_STEP_SHARE = 0.1;

export interface AgentCacheParts {
  readonly log: Log;
  /** What it may take where its directory is in memory. */
  readonly memoryBytes: number;
  /** Told beside the log. */
  readonly tellUsers?: (event: CacheEvent) => void;
}

/** Undefined where none is wanted, or where its directory is refused. */
export async function openAgentCache(
  config: AgentConfig,
  { log, memoryBytes, tellUsers }: AgentCacheParts,
): Promise<Cache | undefined> {
  const { cacheDir: directory, cacheLimit, cacheAllowRootDisk: isRootDiskAllowed } = config;
  if (directory === undefined) {
    log.info({}, 'no cache: --cache-dir names no directory');
    return undefined;
  }
  try {
    const settings = {
      directory,
      node: config.nodeName,
      isRootDiskAllowed,
      ...cacheLimit,
      emptyDirBytes: config.cacheEmptyDirSize,
      memoryBytes,
      unvisitedDaysMax: config.cacheUnvisitedDays,
      kubeletConfiguration: config.kubeletConfig,
      kubeletDropIns: config.kubeletConfigDir,
    };
    const tellLog = cacheTeller(log);
    const onEvent = (event: CacheEvent): void => {
      tellLog(event);
      tellUsers?.(event);
    };
    return await Cache.open(settings, { onEvent });
  } catch (error) {
    if (!isEngineError(error, 'CACHE_LOCATION_REFUSED')) throw error;
    log.error({ error }, 'going on without a cache');
    tellUsers?.({ kind: 'unavailable', reason: messageOf(error) });
    return undefined;
  }
}

/** What each repository may have of it. */
export function cacheShareOf({ cacheFloor, cacheCeiling, cacheDataMin }: AgentConfig): CacheShare {
  return { floorBytes: cacheFloor, ceilingBytes: cacheCeiling, dataBytesMin: cacheDataMin };
}

/**
 * A limit that follows a busy disk changes each second: small steps are for those who look closely.
 */
export function cacheTeller(log: Log): (event: CacheEvent) => void {
  let told: Extract<CacheEvent, { kind: 'limit' }> | undefined;
  const isNews = (event: NonNullable<typeof told>): boolean =>
    event.reason !== told?.reason ||
    Math.abs(event.bytes - told.bytes) > told.bytes * LIMIT_STEP_SHARE;
  return event => {
    switch (event.kind) {
      case 'attached':
        return log.info({ directory: event.directory }, 'cache attached');
      case 'unavailable':
        return log.warn({ reason: event.reason }, 'cache unavailable; moves go on without it');
      case 'limit': {
        const { bytes, reason } = event;
        if (!isNews(event)) return log.debug({ bytes, reason }, 'cache has another limit');
        told = event;
        return log.info({ bytes, reason }, 'cache has another limit');
      }
      case 'eviction lines':
        return log.info({ origin: event.origin }, 'cache keeps clear of eviction lines');
      case 'foreign files': {
        const { directory, bytes } = event;
        return log.warn(
          { directory, bytes },
          'files of others lie in the cache and take of its room',
        );
      }
      case 'sibling': {
        const { directory, bytes, isRemoved } = event;
        if (isRemoved) return log.info({ directory, bytes }, 'a cache that nobody used is removed');
        return log.warn(
          { directory, bytes },
          'a cache that nobody uses takes room beside this one',
        );
      }
      case 'siblings unknown': {
        const { directory, reason } = event;
        return log.warn({ directory, reason }, 'caches beside this one cannot be looked at');
      }
      case 'orphaned':
        return log.info({ reason: event.reason }, 'cache lets go of a repository');
    }
  };
}
