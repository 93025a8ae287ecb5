// Keeps a worker thread from being ended while it loads koffi or defines a native function. Both
// touch JavaScript through Node-API, which refuses from the moment on that somebody stops the
// thread; node-addon-api, as koffi is built, answers that by aborting the whole process (its
// napi-inl.h, Error::ThrowAsJavaScriptException without NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS).
// Calls of functions that are defined touch nothing: ending 300 threads in the middle of each kind
// of call that we make did no harm, while one thread or a few did in the middle of a definition.

import { workerData } from 'node:worker_threads';

const FREE = 0;
/** Bits of the word that a thread and its starter share. */
const BINDING = 1;
const ENDING = 2;

/** What a thread is given as `workerData`. */
export interface BindingLockSeed {
  readonly bindingLock: SharedArrayBuffer;
}

/** The starter's end, one for each thread. */
export class BindingLock {
  readonly #word: Int32Array;

  /** @param shared a word that the thread has been given as BindingLockSeed */
  constructor(shared: SharedArrayBuffer) {
    this.#word = new Int32Array(shared);
  }

  /**
   * Lets the thread begin no definition any more.
   * @returns whether it can be terminated now; it is in a definition otherwise, and ends by itself
   *   when that is made
   */
  close(): boolean {
    return (Atomics.or(this.#word, 0, ENDING) & BINDING) === 0;
  }

  /** Waits, in place, until the thread is in no definition; it has been closed before. */
  waitSync(timeoutMs: number): void {
    Atomics.wait(this.#word, 0, BINDING | ENDING, timeoutMs);
  }
}

const own = ownWord(workerData);

/** The word of this thread; undefined in the main thread and in threads that nobody terminates. */
function ownWord(seed: unknown): Int32Array | undefined {
  if (typeof seed !== 'object' || seed === null || !('bindingLock' in seed)) return undefined;
  const { bindingLock } = seed;
  return bindingLock instanceof SharedArrayBuffer ? new Int32Array(bindingLock) : undefined;
}

/** Runs `define`, during which the thread is not ended; not to be nested. */
export function whileBinding<Result>(define: () => Result): Result {
  if (own === undefined) return define();
  if (Atomics.compareExchange(own, 0, FREE, BINDING) !== FREE) return process.exit();
  try {
    return define();
  } finally {
    const before = Atomics.and(own, 0, ~BINDING);
    Atomics.notify(own, 0);
    // Whoever wanted to end the thread found it here and left it to us.
    if ((before & ENDING) !== 0) process.exit();
  }
}
