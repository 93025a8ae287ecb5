// What the worker threads of worker-death.test.ts run: the engine's own tasks, one of which kills
// the thread in the way that the environment names.

import { ChunkToken } from '#engine/snapshot/upload/chunk-token.ts';
import { deviceHandlers } from '#engine/snapshot/restore/device-tasks.ts';
import { restoreHandlers } from '#engine/snapshot/restore/restore-handlers.ts';
import { uploadHandlers } from '#engine/snapshot/upload/upload-handlers.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { contentHandlers } from '#engine/workers/content-tasks.ts';
import { ContentThread, type ContentThreadSeed } from '#engine/workers/content-thread.ts';
import { serveTasks } from '#engine/workers/serve.ts';
import type { TaskHandlers } from '#engine/workers/tasks.ts';

type Ways = Readonly<Record<string, Partial<TaskHandlers<EngineTasks>>>>;

const waysOver = (sound: TaskHandlers<EngineTasks>): Ways => ({
  /** In the middle of a task. */
  exit: { scanDirectory: () => process.exit(7) },
  /** Beside its tasks. */
  throw: {
    scanDirectory: input => {
      setImmediate(() => {
        throw new TypeError('undefined is not a thread');
      });
      return sound.scanDirectory(input);
    },
  },
  /** While others wait for what it holds. */
  token: {
    readFile: input => {
      ChunkToken.attach(input.token).take();
      return process.exit(7);
    },
  },
  /** With packs that are open. */
  flush: { finishPacks: () => process.exit(7) },
  /** When its packs are durable and the index is not. */
  index: { sealIndex: () => process.exit(7) },
});

serveTasks<EngineTasks, ContentThreadSeed>(seed => {
  const thread = new ContentThread(seed);
  const sound: TaskHandlers<EngineTasks> = {
    ...contentHandlers(thread),
    ...uploadHandlers(thread),
    ...restoreHandlers(thread),
    ...deviceHandlers(thread),
  };
  return { ...sound, ...waysOver(sound)[process.env.STEVEDORE_TEST_DEATH ?? ''] };
});
