// Objects that a backup compares with. One that cannot be read is as good as none: what it stood
// for is read from the source again, which is what heals the repository.

import { isEngineError } from '#engine/base/errors.ts';

/** Whether an object is not there or not sound, rather than the storage out of reach. */
export function isUnreadable(error: unknown): boolean {
  return isEngineError(
    error,
    'CONTENT_NOT_FOUND',
    'CONTENT_DAMAGED',
    'PACK_MISSING',
    'PACK_DAMAGED',
    'OBJECT_DAMAGED',
    'OBJECT_ID_INVALID',
    'LIMIT_EXCEEDED',
  );
}
