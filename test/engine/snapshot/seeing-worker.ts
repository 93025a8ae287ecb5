// What the worker threads of look-ahead.slow.test.ts run: the engine's own tasks, after they have
// looked at all of the source that they are started with.

import { LookAhead, type LookAheadErrand } from '#engine/snapshot/upload/look-ahead.ts';
import { uploadHandlers } from '#engine/snapshot/upload/upload-handlers.ts';
import type { UploadTasks } from '#engine/snapshot/upload/upload-tasks.ts';
import { type ContentTasks, contentHandlers } from '#engine/workers/content-tasks.ts';
import { ContentThread, type ContentThreadSeed } from '#engine/workers/content-thread.ts';
import { serveTasks } from '#engine/workers/serve.ts';
import { threadErrand } from '#engine/workers/thread-errand.ts';

// What the test starts it with.
const ahead = new LookAhead(threadErrand() as LookAheadErrand);
await ahead.run();

serveTasks<ContentTasks & UploadTasks, ContentThreadSeed>(seed => {
  const thread = new ContentThread(seed);
  return { ...contentHandlers(thread), ...uploadHandlers(thread, ahead) };
});
