// The upload's tasks, and which run each belongs to.

import type { ContentThread } from '#engine/workers/content-thread.ts';
import type { TaskHandlers } from '#engine/workers/tasks.ts';
import { pageTask, scanTask } from './directory-tasks.ts';
import { writeDirectoryObject } from './directory-object.ts';
import { finishFileTask, readFileTask } from './file-tasks.ts';
import type { UploadRun, UploadTasks } from './upload-tasks.ts';
import { UploadThread } from './upload-thread.ts';

export function uploadHandlers(thread: ContentThread): TaskHandlers<UploadTasks> {
  const runs = new Map<number, UploadThread>();
  const threadOf = (run: UploadRun): UploadThread => {
    const known = runs.get(run.runId);
    if (known) return known;
    const upload = new UploadThread(thread, run);
    runs.set(run.runId, upload);
    return upload;
  };
  return {
    scanDirectory: input => scanTask(threadOf(input.run), input),
    storePage: input => pageTask(threadOf(input.run), input),
    readFile: input => readFileTask(threadOf(input.run), input),
    finishFile: input => finishFileTask(threadOf(input.run), input),
    writeDirectory: ({ run, pieces, summary, extras }) => {
      const objectId = writeDirectoryObject(threadOf(run), pieces, summary, extras);
      return { output: { objectId } };
    },
    endUpload: ({ runId }) => {
      runs.get(runId)?.[Symbol.dispose]();
      runs.delete(runId);
      return { output: undefined };
    },
  };
}
