// The directory of the parent snapshot that the one at hand is compared with.

import type { DirSummary } from '#engine/format/directory.ts';
import { decodeDirectory } from '#engine/format/directory-decode.ts';
import { ParentEntries } from '#engine/snapshot/source/change-detection.ts';
import type { PreviousObject } from './upload-tasks.ts';

export interface PreviousDirectory {
  readonly entries: ParentEntries;
  readonly summary: DirSummary | undefined;
}

/**
 * @throws DIRECTORY_DAMAGED
 */
export function readPrevious(previous: PreviousObject | undefined): PreviousDirectory {
  if (previous === undefined) return { entries: new ParentEntries([]), summary: undefined };
  const { entries, summary } = decodeDirectory(previous.bytes, `directory ${previous.objectId}`);
  return { entries: new ParentEntries(entries), summary };
}
