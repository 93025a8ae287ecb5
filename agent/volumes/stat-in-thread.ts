// lstat(2) in a thread of its own, for where those that Node has for files are held already.

import { Worker } from 'node:worker_threads';

/** What is at a path, as far as anybody here asks. */
export interface PathStats {
  readonly dev: number;
  readonly ino: number;
  readonly isDirectory: boolean;
}

/** What the thread says; `code` is the system's. */
export type StatAnswer = { readonly stats: PathStats } | { readonly code: string };

const THREAD_HEAP = Object.freeze({ maxYoungGenerationSizeMb: 4 });

/** @throws with the system's code, as `fs.lstat` does */
export async function lstatInThread(path: string): Promise<PathStats> {
  const { promise, resolve, reject } = Promise.withResolvers<StatAnswer>();
  const entry = new URL('./stat-thread.ts', import.meta.url);
  // Arguments of this process do not concern it (see engine/workers/thread.ts).
  const options = { workerData: path, resourceLimits: THREAD_HEAP, execArgv: [] };
  const thread = new Worker(entry, options)
    .on('message', resolve)
    .on('error', reject)
    .on('exit', () => reject(new Error(`the thread that looked at ${path} has ended`)));
  // It keeps nobody from ending who does not wait for its answer.
  thread.unref();
  const answer = await promise;
  if ('stats' in answer) return answer.stats;
  const { code } = answer;
  throw Object.assign(new Error(`${code}: lstat '${path}'`), { code });
}
