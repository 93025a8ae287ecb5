// What the worker threads of look-ahead.slow.test.ts run: the engine's own tasks, which begin when
// all of the source has been looked at.

import { parentPort } from 'node:worker_threads';
import { LookAhead, type LookAheadErrand } from '#engine/snapshot/upload/look-ahead.ts';
import { uploadHandlers } from '#engine/snapshot/upload/upload-handlers.ts';
import type { UploadTasks } from '#engine/snapshot/upload/upload-tasks.ts';
import { type ContentTasks, contentHandlers } from '#engine/workers/content-tasks.ts';
import { ContentThread, type ContentThreadSeed } from '#engine/workers/content-thread.ts';
import { serveTasks } from '#engine/workers/serve.ts';
import { HAS_SEEN } from './has-seen.ts';

let ahead: LookAhead | undefined;

serveTasks<ContentTasks & UploadTasks, ContentThreadSeed>(
  seed => {
    const thread = new ContentThread(seed);
    return { ...contentHandlers(thread), ...uploadHandlers(thread, ahead) };
  },
  errand => {
    // What the test sends.
    ahead = new LookAhead(errand as LookAheadErrand);
    void ahead.run().then(() => parentPort?.postMessage(HAS_SEEN));
  },
);
