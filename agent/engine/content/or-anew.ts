// A cache keeps the bytes that arrived; whether they are those that were stored shows when they are
// opened. A byte that was flipped on its way would otherwise be damage for as long as the cache has
// it, on a node where everything is well in the storage.

import { isEngineError } from '#engine/base/errors.ts';
import type { Storage } from '#engine/storage/storage.ts';

/**
 * Runs `read`. Where it finds damage in bytes of a blob that may be a cache's, gives those up and
 * runs `again`, once: what is damaged then is damaged in the storage.
 */
export async function orAnew<Result>(
  { cache }: Pick<Storage, 'cache'>,
  blobId: string,
  read: () => Promise<Result>,
  again: () => Promise<Result> = read,
): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!isEngineError(error, 'CONTENT_DAMAGED', 'INDEX_DAMAGED')) throw error;
    if (!(await cache?.forget(blobId))) throw error;
  }
  return await again();
}
