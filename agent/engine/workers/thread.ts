// A worker thread before it belongs to a pool. Starting one takes as long as deriving the key of a
// password, so whoever knows that threads will be needed starts one meanwhile.

import { Worker } from 'node:worker_threads';
import { BindingLock } from '#engine/base/binding-lock.ts';
import { END_OF_THREAD } from './tasks.ts';
import type { ThreadErrandSeed } from './thread-errand.ts';

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

/** How long a thread in the middle of a definition is waited for; a cold disk may have koffi. */
const BINDING_MS_MAX = 1000;

/**
 * @param entry module that the thread runs; it calls serveTasks
 * @param errand what to do until the seed comes (thread-errand.ts)
 */
export function startThread(entry: URL, errand?: unknown): Worker {
  return new GuardedThread(entry, errand);
}

const living = new Set<BindingLock>();

/** The end of the process ends its threads, wherever they are. */
function closeLiving(): void {
  const endMs = performance.now() + BINDING_MS_MAX;
  const binding = [...living].filter(lock => !lock.close());
  for (const lock of binding) lock.waitSync(Math.max(0, endMs - performance.now()));
}

/** A thread that is never ended in the middle of what would abort the process (BindingLock). */
class GuardedThread extends Worker {
  readonly #lock: BindingLock;
  readonly #exit = Promise.withResolvers<void>();

  constructor(entry: URL, errand: unknown, lock = new BindingLock()) {
    const workerData = { ...lock.seed, errand } satisfies ThreadErrandSeed;
    super(entry, { workerData, resourceLimits: THREAD_HEAP, execArgv: NO_ARGUMENTS });
    this.#lock = lock;
    if (living.size === 0) process.on('exit', closeLiving);
    living.add(lock);
    this.once('exit', () => {
      living.delete(lock);
      if (living.size === 0) process.off('exit', closeLiving);
      this.#exit.resolve();
    });
  }

  /**
   * Ends the thread wherever it is, but for definitions of native functions: these are waited for,
   * and a thread whose definition takes longer is left to end by itself.
   */
  override async terminate(): Promise<number> {
    if (this.#lock.close()) return super.terminate();
    const timer = setTimeout(this.#exit.resolve, BINDING_MS_MAX);
    await this.#exit.promise;
    clearTimeout(timer);
    this.unref();
    return 0;
  }
}

/** A thread that has been started and not been told yet what it is for. */
export class WaitingThread {
  #worker: Worker | undefined;
  /** What ends it now ends the next as well, which somebody waits for and hears of. */
  readonly #forget = (): void => void (this.#worker = undefined);

  constructor(entry: URL, errand?: unknown) {
    this.#worker = startThread(entry, errand).on('error', this.#forget).on('exit', this.#forget);
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
