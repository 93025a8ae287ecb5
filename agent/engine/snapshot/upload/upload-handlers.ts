// The upload's tasks, and which run each belongs to.

import { allocateArena } from '#engine/base/arena.ts';
import { CHUNK_MARGIN_BYTES, CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import type { ContentThread } from '#engine/workers/content-thread.ts';
import type { TaskHandlers } from '#engine/workers/tasks.ts';
import { CHANGES_CHUNK_BYTES_MAX } from './change-chunks.ts';
import { checkpointTask } from './checkpoint-task.ts';
import { finishDeviceTask, readDeviceTask } from './device-tasks.ts';
import { pageTask, scanTask } from './directory-tasks.ts';
import { writeDirectoryObject } from './directory-object.ts';
import { finishFileTask, readFileTask } from './file-tasks.ts';
import type { LookAhead } from './look-ahead.ts';
import { PerRun } from './per-run.ts';
import type { SurveyTasks } from './survey-tasks.ts';
import { SurveyThread, surveyTask } from './survey-thread.ts';
import type { UploadRun, UploadTasks } from './upload-tasks.ts';
import { compareTask } from './unchanged-directory.ts';
import { UploadThread } from './upload-thread.ts';

/** Not among the data of files: this is read as directories are. */
const CHANGES_PREFIX = 'x'.charCodeAt(0);

function writeChanges(upload: UploadThread, bytes: Uint8Array): { contentId: string } {
  const arena = (upload.changesArena ??= allocateArena(
    CHANGES_CHUNK_BYTES_MAX + CHUNK_MARGIN_BYTES,
  ));
  arena.bytes.set(bytes, CHUNK_OFFSET);
  const compressor = upload.directoryCompressor;
  upload.contents.write(CHANGES_PREFIX, { arena, offset: CHUNK_OFFSET }, bytes.length, compressor);
  return { contentId: upload.objects.contentId() };
}

/** @param ahead what the thread has seen before; of the first run alone, and dropped with it */
export function uploadHandlers(
  thread: ContentThread,
  ahead?: LookAhead,
): TaskHandlers<UploadTasks & SurveyTasks> {
  let unused = ahead;
  const uploads = new PerRun(run => {
    const seen = unused?.isOf(run.root, run.seenSinceMs) ? unused : undefined;
    if (seen === undefined) unused?.forget();
    unused = undefined;
    return new UploadThread(thread, run, seen);
  });
  const surveys = new PerRun(run => new SurveyThread(thread, run));
  const threadOf = (run: UploadRun): UploadThread => uploads.of(run);
  return {
    surveyDirectory: input => surveyTask(surveys.of(input.run), input),
    compareDirectories: input => compareTask(threadOf(input.run), input),
    scanDirectory: input => scanTask(threadOf(input.run), input),
    storePage: input => pageTask(threadOf(input.run), input),
    readFile: input => readFileTask(threadOf(input.run), input),
    finishFile: input => finishFileTask(threadOf(input.run), input),
    readDevice: input => readDeviceTask(threadOf(input.run), input),
    finishDevice: input => finishDeviceTask(threadOf(input.run), input),
    writeDirectory: ({ run, pieces, summary, extras }) => {
      const objectId = writeDirectoryObject(threadOf(run), pieces, summary, extras);
      return { output: { objectId } };
    },
    writeCheckpoint: input => checkpointTask(threadOf(input.run), input),
    writeChanges: ({ run, bytes }) => ({ output: writeChanges(threadOf(run), bytes) }),
    listChanges: ({ run, contentIds, lengths }) => {
      let start = 0;
      const chunks = contentIds.map((objectId, index) => {
        const chunk = { start, length: lengths[index], objectId };
        start += chunk.length;
        return chunk;
      });
      return { output: { objectId: threadOf(run).objects.writeList(chunks, 0) } };
    },
    endUpload: ({ runId }) => {
      uploads.end(runId);
      surveys.end(runId);
      return { output: undefined };
    },
  };
}
