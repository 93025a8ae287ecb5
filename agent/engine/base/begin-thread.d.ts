import type { Worker } from 'node:worker_threads';

export interface BegunThread {
  readonly worker: Worker;
  /** See binding-lock.ts. */
  readonly bindingLock: SharedArrayBuffer;
  /** Whether it has loaded what it runs, and said so. */
  readonly isReady: boolean;
  readonly hasEnded: boolean;
}

/** @param entry module that the thread runs; it calls serveTasks */
export function beginThread(entry: URL): BegunThread;
