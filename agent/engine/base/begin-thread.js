// Begins a worker thread. Plain JavaScript in a file by itself, because stevedore.js begins the
// first one before it loads the command: that takes as long as the thread takes to start.

import { Worker } from 'node:worker_threads';

/**
 * The young generation of V8 grows to 48 MiB in each thread by default. Over 150,000 files the
 * process peaked at 183 to 196 MiB with 4 MiB here, at 196 to 204 with 1 or 2, when more survives
 * into the old generation, and was no faster with 8.
 */
const HEAP = Object.freeze({ maxYoungGenerationSizeMb: 4 });

/**
 * The arguments of the process are not handed on: how a program on the command line is to be read
 * does not concern a file, and what is loaded before it (instruments, hooks) made threads of the
 * tests start four times as slowly. Those of V8, such as --max-old-space-size, hold for the whole
 * process anyway.
 */
const NO_ARGUMENTS = [];

export function beginThread(entry) {
  const bindingLock = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const workerData = { bindingLock };
  const worker = new Worker(entry, { workerData, resourceLimits: HEAP, execArgv: NO_ARGUMENTS });
  const thread = { worker, bindingLock, isReady: false, hasEnded: false };
  worker.once('message', () => (thread.isReady = true));
  // Whoever takes it over may not be there yet; then it says that it has ended, and no more.
  worker.on('error', () => undefined);
  worker.once('exit', () => (thread.hasEnded = true));
  return thread;
}
