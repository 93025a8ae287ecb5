// A cache keeps the bytes that arrived; whether they are those that were stored shows when they are
// opened. A byte that was flipped on its way would otherwise be damage for as long as the cache has
// it, on a node where everything is well in the storage.

import { isEngineError } from '#engine/base/errors.ts';

/**
 * Runs `read`. Where it finds damage in bytes that may be a cache's, has those given up and runs
 * `again`, once: what is damaged then is damaged in the storage.
 * @param forget false where no cache has them
 */
export async function orAnew<Result>(
  forget: () => Promise<boolean>,
  read: () => Promise<Result>,
  again: () => Promise<Result> = read,
): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!isEngineError(error, 'CONTENT_DAMAGED', 'INDEX_DAMAGED')) throw error;
    if (!(await forget())) throw error;
  }
  return await again();
}
