// What an upload is given, and what comes of it.

import type { DirEntry } from '#engine/format/directory.ts';
import type { ChangesNote } from '#engine/snapshot/changes-note.ts';
import type { Selection } from '#engine/snapshot/source/selection.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import type { KnownChanges } from './known-changes.ts';
import type { TotalsBuilder } from './part-totals.ts';
import type {
  FileChunks,
  PreviousObject,
  ResumedFile,
  UploadRun,
  UploadTasks,
} from './upload-tasks.ts';
import type { CheckpointSink, IncompleteTree } from './with-checkpoints.ts';

export interface UploadParts {
  readonly runner: TaskRunner<UploadTasks>;
  /** Whether the index has an object of the parent snapshot. */
  readonly isStored: (objectId: string) => boolean;
  /** Reads a directory object of the parent snapshot; undefined when it cannot be had. */
  readonly readPrevious: (objectId: string) => Promise<PreviousObject | undefined>;
  /** Told of one that was damaged when it was opened. */
  readonly forgetPrevious: (objectId: string) => Promise<void>;
  /** Says which of them will be read next, so that they can be fetched together. */
  readonly announcePrevious: (objectIds: Iterable<string>) => Promise<void>;
  /** What is known beside the parent snapshot. */
  readonly known: KnownChanges | undefined;
  /** The chunks of which an object of that length is made; undefined when not all are there. */
  readonly readChunks: (object: ResumedFile) => Promise<FileChunks | undefined>;
  readonly checkpoints: CheckpointSink;
  /** Called between tasks; flushes when that is due. */
  readonly afterTask: () => Promise<void>;
  /** Told at first where the sums of ended tasks are, and how far unfinished files have come. */
  readonly onTotals?: (totals: Readonly<TotalsBuilder>, unfinishedBytes: () => number) => void;
}

/** `warn` stores the rest and names it; `fail` ends the upload soon. */
export type OnError = 'warn' | 'fail';

export interface UploadOptions {
  readonly run: UploadRun;
  readonly selection: Selection;
  /** Root entry of the parent snapshot. */
  readonly previousRoot: DirEntry | undefined;
  /** Those of incomplete snapshots after it that the upload goes on from, oldest first. */
  readonly resumedRoots?: readonly DirEntry[];
  /** What an entry that cannot be stored means for the whole. */
  readonly onError: OnError;
  readonly signal: AbortSignal;
}

export interface UploadedTree extends IncompleteTree {
  /** What the next backup can know. */
  readonly changes: ChangesNote | undefined;
}
