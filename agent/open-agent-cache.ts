// The cache of this node, or none: whatever is wrong with its directory, moves go on without it.

import { isEngineError } from '#engine/base/errors.ts';
import { Cache, type CacheEvent } from '#engine/index.ts';
import type { AgentConfig } from './config-table.ts';
import type { Log } from './log.ts';

/** Undefined where none is wanted, or where its directory is refused. */
export async function openAgentCache(config: AgentConfig, log: Log): Promise<Cache | undefined> {
  const { cacheDir: directory, cacheLimit, cacheAllowRootDisk: isRootDiskAllowed } = config;
  if (directory === undefined) {
    log.info({}, 'no cache: --cache-dir names no directory');
    return undefined;
  }
  try {
    const settings = { directory, node: config.nodeName, isRootDiskAllowed, ...cacheLimit };
    return await Cache.open(settings, { onEvent: event => tell(log, event) });
  } catch (error) {
    if (!isEngineError(error, 'CACHE_LOCATION_REFUSED')) throw error;
    log.error({ error }, 'going on without a cache');
    return undefined;
  }
}

function tell(log: Log, event: CacheEvent): void {
  switch (event.kind) {
    case 'attached':
      return log.info({ directory: event.directory }, 'cache attached');
    case 'unavailable':
      return log.warn({ reason: event.reason }, 'cache unavailable; moves go on without it');
    case 'limit':
      return log.info({ bytes: event.bytes, reason: event.reason }, 'cache has another limit');
    case 'eviction lines':
      return log.info({ origin: event.origin }, 'cache keeps clear of eviction lines');
    case 'orphaned':
      return log.info({ reason: event.reason }, 'cache lets go of a repository');
  }
}
