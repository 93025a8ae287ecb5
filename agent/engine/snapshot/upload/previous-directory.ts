// The directory of the parent snapshot that the one at hand is compared with.

import { isEngineError } from '#engine/base/errors.ts';
import { encodeExtra, type DirSummary } from '#engine/format/directory.ts';
import { decodeDirectory } from '#engine/format/directory-decode.ts';
import { ParentEntries } from '#engine/snapshot/source/change-detection.ts';
import type { PreviousObject } from './upload-tasks.ts';

export interface PreviousDirectory {
  readonly entries: ParentEntries;
  readonly summary: DirSummary | undefined;
  /** Its extra fields as JSON. */
  readonly extra: string;
}

/** One that cannot be understood is as good as none: its files are read again. */
export function readPrevious(previous: PreviousObject | undefined): PreviousDirectory {
  if (previous === undefined) return none();
  try {
    const { bytes, objectId } = previous;
    const { entries, summary, extra = {} } = decodeDirectory(bytes, `directory ${objectId}`);
    return { entries: new ParentEntries(entries), summary, extra: encodeExtra(extra) };
  } catch (error) {
    if (isEngineError(error, 'DIRECTORY_DAMAGED')) return none();
    throw error;
  }
}

function none(): PreviousDirectory {
  return { entries: new ParentEntries([]), summary: undefined, extra: '' };
}
