// What the worker threads of a repository run.

import { type ContentTasks, contentHandlers } from '#engine/workers/content-tasks.ts';
import { ContentThread, type ContentThreadSeed } from '#engine/workers/content-thread.ts';
import { serveTasks } from '#engine/workers/serve.ts';
import { deviceHandlers, type DeviceTasks } from './restore/device-tasks.ts';
import { restoreHandlers } from './restore/restore-handlers.ts';
import type { RestoreTasks } from './restore/restore-tasks.ts';
import { beginLookAhead, type LookAhead } from './upload/look-ahead.ts';
import { uploadHandlers } from './upload/upload-handlers.ts';
import type { SurveyTasks } from './upload/survey-tasks.ts';
import type { UploadTasks } from './upload/upload-tasks.ts';

export type EngineTasks = ContentTasks & UploadTasks & SurveyTasks & RestoreTasks & DeviceTasks;

let ahead: LookAhead | undefined;

serveTasks<EngineTasks, ContentThreadSeed>(
  seed => {
    ahead?.stop();
    const seen = ahead;
    ahead = undefined;
    const thread = new ContentThread(seed);
    return {
      ...contentHandlers(thread),
      ...uploadHandlers(thread, seen),
      ...restoreHandlers(thread),
      ...deviceHandlers(thread),
    };
  },
  errand => {
    ahead = beginLookAhead(errand);
  },
);
