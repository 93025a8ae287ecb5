// What the worker threads of a repository run.

import { type ContentTasks, contentHandlers } from '#engine/workers/content-tasks.ts';
import { ContentThread, type ContentThreadSeed } from '#engine/workers/content-thread.ts';
import { serveTasks } from '#engine/workers/serve.ts';
import { threadErrand } from '#engine/workers/thread-errand.ts';
import { deviceHandlers, type DeviceTasks } from './restore/device-tasks.ts';
import { restoreHandlers } from './restore/restore-handlers.ts';
import type { RestoreTasks } from './restore/restore-tasks.ts';
import { beginLookAhead } from './upload/look-ahead.ts';
import { uploadHandlers } from './upload/upload-handlers.ts';
import type { SurveyTasks } from './upload/survey-tasks.ts';
import type { UploadTasks } from './upload/upload-tasks.ts';

export type EngineTasks = ContentTasks & UploadTasks & SurveyTasks & RestoreTasks & DeviceTasks;

serveTasks<EngineTasks, ContentThreadSeed>(seed => {
  ahead?.stop();
  const thread = new ContentThread(seed);
  return {
    ...contentHandlers(thread),
    ...uploadHandlers(thread, ahead),
    ...restoreHandlers(thread),
    ...deviceHandlers(thread),
  };
});

const ahead = beginLookAhead(threadErrand());
