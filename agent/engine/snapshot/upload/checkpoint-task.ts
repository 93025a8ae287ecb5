// Writes what is known of a tree in the middle of an upload, as a task of a worker thread: the
// directories that are half done, those furthest down first, and what has been read of large files.
// All of it is one task, because each would have to wait for its turn behind the upload's own.

import type { DirEntry } from '#engine/format/directory.ts';
import type { TaskReply } from '#engine/workers/tasks.ts';
import { writePartialDirectory } from './directory-object.ts';
import { contiguousChunks } from './file-chunks.ts';
import { insertEntries } from './insert-entries.ts';
import { childText } from './open-directory.ts';
import { partialEntry } from './partial-file.ts';
import { TotalsBuilder } from './part-totals.ts';
import type {
  CheckpointInput,
  CheckpointOutput,
  HalfDoneDirectory,
  PartialFileInput,
  WrittenDirectory,
} from './upload-tasks.ts';
import type { UploadThread } from './upload-thread.ts';

export function checkpointTask(
  upload: UploadThread,
  input: CheckpointInput,
): TaskReply<CheckpointOutput> {
  if (input.file) return { output: { root: undefined, file: storePart(upload, input.file) } };
  const written: WrittenDirectory[] = [];
  for (const directory of input.directories) {
    const isWritten = 'written' in directory;
    written.push(isWritten ? directory.written : writeHalfDone(upload, directory, input, written));
  }
  return { output: { root: written.at(-1), file: undefined } };
}

/** @param written of the directories that come before this one */
function writeHalfDone(
  upload: UploadThread,
  { metadata, children, pieces, files, extras, totals: known }: HalfDoneDirectory,
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
  const parts = files.map(file => storePart(upload, file)).filter(part => part !== undefined);
  for (const part of parts) totals.addFile(part, part.bytes);
  const summary = { ...totals.directorySummary(metadata), incomplete: reason };
  const all = [...childPieces, ...insertEntries(pieces, parts)];
  return { objectId: writePartialDirectory(upload, all, summary, extras), summary };
}

/** Undefined when nothing is known of the file's start. */
function storePart(
  upload: UploadThread,
  { file, chunks, identity }: PartialFileInput,
): DirEntry | undefined {
  const entries = contiguousChunks(chunks);
  const last = entries.at(-1);
  if (last === undefined || last.start + last.length === 0) return undefined;
  const objectId = upload.objects.writeList(entries, 0);
  return partialEntry(file, { objectId, bytes: last.start + last.length }, identity);
}
