// The library's calls about a cache directory that nobody needs to have open.

import { resolve } from 'node:path';
import { nodesIn } from '#engine/cache/cache-directory.ts';
import type { CacheSettings } from '#engine/cache/cache-settings.ts';
import { type CacheDescription, describeCache } from '#engine/cache/describe-cache.ts';
import { readMounts } from '#engine/cache/location.ts';
import { type ClearedCache, clearStoredCache } from '#engine/cache/stored-cache.ts';
import { storageNameOf } from '#engine/storage/storage-url.ts';

/**
 * What is in the cache and how large it may get; undefined where there is none.
 * @param url a repository that is to be shown by name
 */
export async function cacheInfo(
  settings: CacheSettings,
  url?: string,
): Promise<CacheDescription | undefined> {
  const names = url === undefined ? [] : [storageNameOf(url)];
  const directory = resolve(settings.directory);
  return describeCache({ ...settings, directory }, { names, mountInfo: readMounts() });
}

/** Names of the nodes that have a cache of their own there, as `node` of the settings. */
export function cacheNodes(directory: string): readonly string[] {
  return nodesIn(directory);
}

/**
 * Removes everything, or what is of the repository at `url`, which need not exist any more.
 * @throws CACHE_IN_USE, CACHE_NOT_FOUND, STORAGE_URL_INVALID
 */
export async function clearCache(
  { directory, node }: Pick<CacheSettings, 'directory' | 'node'>,
  url?: string,
): Promise<ClearedCache> {
  return clearStoredCache(
    { location: directory, node },
    url === undefined ? undefined : storageNameOf(url),
  );
}
