// The frame around the work of an upload that saves its state from time to time, and once more when
// it is cancelled.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DirEntry } from '#engine/format/directory.ts';
import type { TotalsBuilder } from './part-totals.ts';
import type { EntryMetadata, WrittenDirectory } from './upload-tasks.ts';

/** Where the state of an upload goes while it runs. */
export interface CheckpointSink {
  /** Resolves to true when a checkpoint is due, to false when `ended` fires. */
  readonly due: (ended: AbortSignal) => Promise<boolean>;
  /** Whether an upload that was cancelled has done enough since to save it once more. */
  readonly isWorthSaving: () => boolean;
  /** Publishes what `gather` gives as an incomplete snapshot. */
  readonly save: (reason: IncompleteReason, gather: Gather) => Promise<void>;
}

/** kopia's words (snapshot/upload/upload.go). */
export type IncompleteReason = 'checkpoint' | 'canceled';

/** Undefined when there is nothing worth keeping. */
export type Gather = () => Promise<IncompleteTree | undefined>;

/** What an upload has written so far; durable only after the next flush. */
export interface IncompleteTree {
  readonly root: WrittenDirectory;
  readonly metadata: EntryMetadata;
  readonly totals: TotalsBuilder;
  /** Of a file that is itself the root: the entry for the part that has been read. */
  readonly entry?: DirEntry;
}

export interface CheckpointedWork {
  readonly work: Promise<unknown>;
  readonly gather: (reason: IncompleteReason) => Promise<IncompleteTree | undefined>;
  /** A checkpoint could not be saved; `work` has to end. */
  readonly onFailure: (error: unknown) => void;
}

/** Settles with `work`, and no checkpoint is under way then. */
export async function withCheckpoints(
  checkpoints: CheckpointSink,
  signal: AbortSignal,
  { work, gather, onFailure }: CheckpointedWork,
): Promise<void> {
  const ended = new AbortController();
  const saving = saveUntil(ended.signal);
  try {
    await work;
  } finally {
    ended.abort();
    await saving;
    if (signal.aborted && checkpoints.isWorthSaving()) await save('canceled');
  }

  async function saveUntil(end: AbortSignal): Promise<void> {
    try {
      while (await checkpoints.due(end)) {
        await save('checkpoint');
        // Whatever the clock does, the upload goes on.
        await nextTurn();
      }
    } catch (error) {
      onFailure(error);
    }
  }

  function save(reason: IncompleteReason): Promise<void> {
    return checkpoints.save(reason, () => gather(reason));
  }
}
