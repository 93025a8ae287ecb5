// Writes what is known of a tree in the middle of an upload, as a task of a worker thread: the
// directories that are half done, those furthest down first. All of it is one task, because each
// would have to wait for its turn behind the upload's own.

import type { TaskReply } from '#engine/workers/tasks.ts';
import { writeDirectoryObject } from './directory-object.ts';
import { childText } from './open-directory.ts';
import { TotalsBuilder } from './part-totals.ts';
import type {
  CheckpointInput,
  CheckpointOutput,
  HalfDoneDirectory,
  WrittenDirectory,
} from './upload-tasks.ts';
import type { UploadThread } from './upload-thread.ts';

export function checkpointTask(
  upload: UploadThread,
  input: CheckpointInput,
): TaskReply<CheckpointOutput> {
  const written: WrittenDirectory[] = [];
  for (const directory of input.directories) {
    const isWritten = 'written' in directory;
    written.push(isWritten ? directory.written : writeHalfDone(upload, directory, input, written));
  }
  return { output: { root: written.at(-1) } };
}

/** @param written of the directories that come before this one */
function writeHalfDone(
  upload: UploadThread,
  { metadata, children, pieces, extras, totals: known }: HalfDoneDirectory,
  { directories, reason }: CheckpointInput,
  written: readonly WrittenDirectory[],
): WrittenDirectory {
  const totals = new TotalsBuilder();
  totals.addPart(known);
  const childPieces = children.map(child => {
    if (child instanceof Uint8Array) return child;
    const { metadata: own } = directories[child];
    totals.addDirectory(own, written[child].summary);
    return childText(own, written[child]);
  });
  const summary = { ...totals.directorySummary(metadata), incomplete: reason };
  const all = [...childPieces, ...pieces];
  return { objectId: writeDirectoryObject(upload, all, summary, extras), summary };
}
