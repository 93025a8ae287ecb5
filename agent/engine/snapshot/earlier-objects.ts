// What a backup reads of earlier snapshots. What cannot be read is as good as none: the files are
// read again, which is what heals the repository.

import { isEngineError } from '#engine/base/errors.ts';
import type { TreeReader } from './tree.ts';
import type { PreviousObject } from './upload/upload-tasks.ts';

/** A directory object to compare with; undefined when it cannot be had. */
export async function readDirectoryObject(
  reader: TreeReader,
  objectId: string,
  signal: AbortSignal,
): Promise<PreviousObject | undefined> {
  return await orNone(async () => {
    return { objectId, bytes: await reader.readDirectoryBytes(objectId, { signal }) };
  });
}

async function orNone<Result>(
  read: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isEngineError(error, ...UNREADABLE)) return undefined;
    throw error;
  }
}

const UNREADABLE = [
  'CONTENT_NOT_FOUND',
  'CONTENT_DAMAGED',
  'PACK_MISSING',
  'PACK_DAMAGED',
  'OBJECT_DAMAGED',
  'OBJECT_ID_INVALID',
  'LIMIT_EXCEEDED',
] as const;
