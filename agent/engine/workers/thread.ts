// A worker thread before it belongs to a pool. Starting one takes as long as deriving the key of a
// password, so whoever knows that threads will be needed starts one meanwhile.

import type { Worker } from 'node:worker_threads';
import { BindingLock } from '#engine/base/binding-lock.ts';
import { beginThread, type BegunThread } from '#engine/base/begin-thread.js';
import { END_OF_THREAD, type ThreadErrand } from './tasks.ts';

/** How long a thread in the middle of a definition is waited for; a cold disk may have koffi. */
const BINDING_MS_MAX = 1000;

/** @param entry module that the thread runs; it calls serveTasks */
export function startThread(entry: URL): Worker {
  return guard(beginThread(entry));
}

const living = new Set<BindingLock>();

/** The end of the process ends its threads, wherever they are. */
function closeLiving(): void {
  const endMs = performance.now() + BINDING_MS_MAX;
  const binding = [...living].filter(lock => !lock.close());
  for (const lock of binding) lock.waitSync(Math.max(0, endMs - performance.now()));
}

/**
 * The thread is never ended in the middle of what would abort the process (BindingLock):
 * terminate() ends it wherever else it is. Definitions of native functions are waited for, and a
 * thread whose definition takes longer is left to end by itself.
 */
function guard({ worker, bindingLock }: BegunThread): Worker {
  const lock = new BindingLock(bindingLock);
  const ended = Promise.withResolvers<void>();
  if (living.size === 0) process.on('exit', closeLiving);
  living.add(lock);
  worker.once('exit', () => {
    living.delete(lock);
    if (living.size === 0) process.off('exit', closeLiving);
    ended.resolve();
  });
  const terminate = worker.terminate.bind(worker);
  worker.terminate = async () => {
    if (lock.close()) return terminate();
    const timer = setTimeout(ended.resolve, BINDING_MS_MAX);
    await ended.promise;
    clearTimeout(timer);
    worker.unref();
    return 0;
  };
  return worker;
}

/** A thread that has been started and not been told yet what it is for. */
export class WaitingThread {
  readonly #begun: BegunThread;
  #worker: Worker | undefined;
  /** What ends it now ends the next as well, which somebody waits for and hears of. */
  readonly #forget = (): void => void (this.#worker = undefined);

  /** @param entry module that the thread runs; it calls serveTasks */
  static begin(entry: URL): WaitingThread {
    return new WaitingThread(beginThread(entry));
  }

  constructor(begun: BegunThread) {
    this.#begun = begun;
    if (begun.hasEnded) return;
    this.#worker = guard(begun).on('error', this.#forget).on('exit', this.#forget);
  }

  /** Calls `then` once, when the thread has loaded what it runs or has ended before. */
  onceReady(then: () => void): void {
    const begun = this.#begun;
    if (begun.isReady || begun.hasEnded) {
      then();
      return;
    }
    begun.worker.once('message', then).once('exit', () => {
      if (!begun.isReady) then();
    });
  }

  /** What it may do until it is taken. */
  send(errand: unknown): void {
    this.#worker?.postMessage({ errand } satisfies ThreadErrand);
  }

  /** The thread, which is the caller's from now on; undefined when it was taken or has ended. */
  take(): Worker | undefined {
    const worker = this.#worker?.off('error', this.#forget).off('exit', this.#forget);
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
