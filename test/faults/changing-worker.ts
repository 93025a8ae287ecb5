// What the worker threads of changing-sources.test.ts run: the engine's own tasks, and a tree that
// changes under them when its root has been listed.

import { execFileSync } from 'node:child_process';
import { appendFileSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { deviceHandlers } from '#engine/snapshot/restore/device-tasks.ts';
import { restoreHandlers } from '#engine/snapshot/restore/restore-handlers.ts';
import { uploadHandlers } from '#engine/snapshot/upload/upload-handlers.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { contentHandlers } from '#engine/workers/content-tasks.ts';
import { ContentThread, type ContentThreadSeed } from '#engine/workers/content-thread.ts';
import { serveTasks } from '#engine/workers/serve.ts';

const root = process.env.STEVEDORE_TEST_TREE ?? '';

serveTasks<EngineTasks, ContentThreadSeed>(seed => {
  const thread = new ContentThread(seed);
  const upload = uploadHandlers(thread);
  return {
    ...contentHandlers(thread),
    ...restoreHandlers(thread),
    ...deviceHandlers(thread),
    ...upload,
    scanDirectory: input => {
      const scanned = upload.scanDirectory(input);
      if (input.names.length === 0) change();
      return scanned;
    },
    finishFile: input => {
      // However often it is read, it is written to.
      if (Buffer.from(input.file.name).toString() === 'restless') {
        appendFileSync(`${root}/restless`, 'more');
      }
      return upload.finishFile(input);
    },
  };
});

function change(): void {
  appendFileSync(`${root}/grows`, 'more');
  truncateSync(`${root}/shrinks`, 1_500_000);
  truncateSync(`${root}/empties`, 0);
  for (const name of ['vanishes', 'becomes-fifo', 'becomes-link']) rmSync(`${root}/${name}`);
  execFileSync('mkfifo', [`${root}/becomes-fifo`]);
  symlinkSync('stays', `${root}/becomes-link`);
  rmSync(`${root}/gone`, { recursive: true });
  // A link to a directory that holds what nobody asked to back up.
  renameSync(`${root}/swapped`, `${root}-secret`);
  symlinkSync(`${root}-secret`, `${root}/swapped`);
}
