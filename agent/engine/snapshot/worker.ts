// What the worker threads of a repository run.

import { workerData } from 'node:worker_threads';
import { type ContentTasks, contentHandlers } from '#engine/workers/content-tasks.ts';
import { ContentThread, type ContentThreadSeed } from '#engine/workers/content-thread.ts';
import { serveTasks } from '#engine/workers/serve.ts';
import { restoreHandlers } from './restore/restore-handlers.ts';
import type { RestoreTasks } from './restore/restore-tasks.ts';
import { uploadHandlers } from './upload/upload-handlers.ts';
import type { UploadTasks } from './upload/upload-tasks.ts';

export type EngineTasks = ContentTasks & UploadTasks & RestoreTasks;

// The seed is what content/open-contents.ts made for this thread.
const thread = new ContentThread(workerData as ContentThreadSeed);

serveTasks<EngineTasks>({
  ...contentHandlers(thread),
  ...uploadHandlers(thread),
  ...restoreHandlers(thread),
});
