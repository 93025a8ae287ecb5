// How a restore of a volume ends, whichever kind of object asked for it.

import type { MoveSuccess } from './move-adapter.ts';
import { restoreMessage } from './move-message.ts';
import type { RestoreResult } from './volume-mover.ts';

export function successOfRestore(result: RestoreResult): MoveSuccess {
  const isPerfect = result.missingCount + result.differenceCount === 0;
  return {
    status: {},
    totalBytes: result.totalBytes,
    message: restoreMessage(result),
    warning: isPerfect ? undefined : 'CompletedWithDifferences',
  };
}
