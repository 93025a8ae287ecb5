// The frame around an upload: while it runs the caller can stop it, and when it has ended, however,
// the threads keep nothing of it.

import { abortedError } from '#engine/base/abort.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import type { UploadRun, UploadTasks } from './upload-tasks.ts';

export interface StoppableRun {
  readonly run: UploadRun;
  readonly signal: AbortSignal;
}

/**
 * Runs `work`, all of whose tasks belong to `run` and have ended when it settles.
 * @throws ABORTED, and whatever `work` throws
 */
export async function stoppable<Result>(
  runner: TaskRunner<UploadTasks>,
  { run, signal }: StoppableRun,
  work: () => Promise<Result>,
): Promise<Result> {
  const stop = new Int32Array(run.stop);
  const onAbort = (): void => void Atomics.store(stop, 0, 1);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await work();
  } catch (error) {
    // Threads that are in the middle of a file must not go on for nobody.
    onAbort();
    throw signal.aborted ? abortedError(signal) : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await runner.broadcast('endUpload', { runId: run.runId }).catch(() => undefined);
  }
}
