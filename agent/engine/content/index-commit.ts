// Publishing index blobs: the moment at which contents begin to exist for everybody. The blob must
// go into the epoch that is current, since an epoch two behind may be merged at any time from what
// is listed then (kopia-format.md 6.7).

import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { indexBlobId } from '#engine/format/blob-names.ts';
import { mayWriteByEpochState, wasIndexWriteTooSlow } from '#engine/format/epochs.ts';
import type { Storage } from '#engine/storage/storage.ts';
import type { SealedIndexFile } from '#engine/workers/content-tasks.ts';
import type { IndexBlobs, IndexListing } from './index-blobs.ts';
import type { Tidying } from './tidying.ts';

export interface IndexCommitParts {
  readonly storage: Storage;
  readonly blobs: IndexBlobs;
  readonly clock: Clock;
  readonly refreshFrequencyNs: bigint;
  readonly tidying: Tidying;
}

/** An epoch lasts a day; being overtaken by two of them again and again is not bad luck. */
const ATTEMPTS_MAX = 3;

/**
 * Puts the files as one set named after `sessionId` into the current epoch. On return they are
 * durable and no compaction can have missed them.
 * @returns the ids of the blobs
 * @throws INDEX_COMMIT_TOO_SLOW
 */
export async function commitIndex(
  parts: IndexCommitParts,
  files: readonly SealedIndexFile[],
  sessionId: string,
  signal?: AbortSignal,
): Promise<string[]> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    throwIfAborted(signal);
    const before = await parts.blobs.list(signal);
    const epoch = writeEpochOf(before);
    const blobIds = await putFiles(parts, files, { epoch, sessionId, before, signal });
    const after = blobIds && (await parts.blobs.list(signal));
    if (after && !wasIndexWriteTooSlow(epoch, writeEpochOf(after))) return blobIds;
    // Entries of the overtaken epoch are valid all the same, so removing them is only tidiness.
    for (const blobId of blobIds ?? []) await parts.tidying.remove(blobId, signal);
  }
  throw new EngineError(
    'INDEX_COMMIT_TOO_SLOW',
    `writing the index to ${parts.storage.displayName} was overtaken by two epochs ` +
      `${ATTEMPTS_MAX} times; check the speed of the storage and the clocks of its ` +
      'clients, then run it again',
  );
}

interface PutPlan {
  readonly epoch: number;
  readonly sessionId: string;
  readonly before: IndexListing;
  readonly signal: AbortSignal | undefined;
}

/** Undefined when the listing became too old to write by. */
async function putFiles(
  { storage, clock, refreshFrequencyNs }: IndexCommitParts,
  files: readonly SealedIndexFile[],
  { epoch, sessionId, before, signal }: PutPlan,
): Promise<string[] | undefined> {
  const blobIds: string[] = [];
  for (const { hash, sealed } of files) {
    if (!mayWriteByEpochState(before.readAtMs, clock.now(), refreshFrequencyNs)) return undefined;
    const blobId = indexBlobId(epoch, hash, { setId: sessionId, count: files.length });
    await storage.put(blobId, [sealed], { signal });
    blobIds.push(blobId);
  }
  return blobIds;
}

function writeEpochOf(listing: IndexListing): number {
  if (listing.epochs) return listing.epochs.writeEpoch;
  throw new EngineError('INTERNAL', 'an index was about to be written without epochs');
}
