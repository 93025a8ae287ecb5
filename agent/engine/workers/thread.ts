// A worker thread before it belongs to a pool. Starting one takes as long as deriving the key of a
// password, so whoever knows that threads will be needed starts one meanwhile.

import { Worker } from 'node:worker_threads';
import { END_OF_THREAD } from './tasks.ts';

/**
 * The young generation of V8 grows to 48 MiB in each thread by default. Over 150,000 files the
 * process peaked at 183 to 196 MiB with 4 MiB here, at 196 to 204 with 1 or 2, when more survives
 * into the old generation, and was no faster with 8.
 */
const THREAD_HEAP = Object.freeze({ maxYoungGenerationSizeMb: 4 });

/**
 * The arguments of the process are not handed on: how a program on the command line is to be read
 * does not concern a file, and what is loaded before it (instruments, hooks) made threads of the
 * tests start four times as slowly. Those of V8, such as --max-old-space-size, hold for the whole
 * process anyway.
 */
const NO_ARGUMENTS: string[] = [];

/** @param entry module that the thread runs; it calls serveTasks */
export function startThread(entry: URL): Worker {
  return new Worker(entry, { resourceLimits: THREAD_HEAP, execArgv: NO_ARGUMENTS });
}

/** A thread that has been started and not been told yet what it is for. */
export class WaitingThread {
  #worker: Worker | undefined;

  constructor(entry: URL) {
    // What ends it now ends the next as well, which somebody waits for and hears of.
    const forget = (): void => void (this.#worker = undefined);
    this.#worker = startThread(entry).on('error', forget).on('exit', forget);
  }

  /** The thread, which is the caller's from now on; undefined when it was taken or has ended. */
  take(): Worker | undefined {
    const worker = this.#worker?.removeAllListeners();
    this.#worker = undefined;
    return worker;
  }

  /** Ends it, unless somebody took it. */
  close(): void {
    const worker = this.take()?.on('error', () => undefined);
    worker?.postMessage(END_OF_THREAD);
    worker?.unref();
  }
}
