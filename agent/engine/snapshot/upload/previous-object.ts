// A directory object of an earlier snapshot on its way to a worker thread. It goes there sealed, as
// it lies in its pack: most are not looked at there, and opening is work that threads share.

import { arenaOver, ownBuffer, type Arena } from '#engine/base/arena.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { SealedContent } from '#engine/workers/content-opener.ts';
import type { ContentThread } from '#engine/workers/content-thread.ts';
import type { PreviousObject } from './upload-tasks.ts';

type Opener = Pick<ContentThread, 'opener'>;

/** The same with its bytes opened; one that is damaged is as good as none. */
export function openPrevious(
  { opener }: Opener,
  previous: PreviousObject | undefined,
): PreviousObject | undefined {
  if (previous?.sealed === undefined) return previous;
  const { arena, content } = sealedContent(previous.bytes, previous.sealed);
  const bytes = orNone(() => opener.open(arena, content));
  return bytes && { objectId: previous.objectId, bytes };
}

function sealedContent(
  bytes: Uint8Array,
  sealed: NonNullable<PreviousObject['sealed']>,
): { arena: Arena; content: SealedContent } {
  const own = ownBuffer(bytes);
  return { arena: arenaOver(own), content: { ...sealed, offset: 0, length: own.length } };
}

function orNone<Result>(open: () => Result): Result | undefined {
  try {
    return open();
  } catch (error) {
    if (isEngineError(error, 'CONTENT_DAMAGED')) return undefined;
    throw error;
  }
}
