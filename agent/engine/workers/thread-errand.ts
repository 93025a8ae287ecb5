// What a thread is started with besides the way to end it: something to do until it is told what it
// is for (WaitingThread).

import { workerData } from 'node:worker_threads';

export interface ThreadErrandSeed {
  /** Structured-cloneable. */
  readonly errand?: unknown;
}

/** The errand of this thread; undefined where there is none, and in the main thread. */
export function threadErrand(): unknown {
  const data: unknown = workerData;
  return typeof data === 'object' && data !== null && 'errand' in data ? data.errand : undefined;
}
