// Reads a directory in the incomplete snapshots that a backup goes on from.

import type { DirEntry } from '#engine/format/directory.ts';
import type { PreviousObject } from './upload-tasks.ts';

/** Those that can be had. */
export async function resumedObjects(
  entries: readonly DirEntry[],
  read: (objectId: string) => Promise<PreviousObject | undefined>,
): Promise<PreviousObject[]> {
  const found: PreviousObject[] = [];
  for (const { objectId } of entries) {
    const object = await read(objectId);
    if (object) found.push(object);
  }
  return found;
}
