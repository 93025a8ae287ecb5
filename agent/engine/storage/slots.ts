// The right to have one more operation under way. Storages use it so that a caller with ten
// thousand blobs to write runs out of patience and not of file descriptors or sockets; the limiting
// wrapper uses it for what the operator asked for. First come, first served.

import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';

interface Waiter {
  readonly start: () => void;
}

export class Slots {
  readonly #waiting = new Set<Waiter>();
  #free: number;

  constructor(count: number) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new EngineError('INTERNAL', `cannot have ${count} slots; at least 1 is needed`);
    }
    this.#free = count;
  }

  /** @throws ABORTED while waiting; the place in the queue is given up */
  async acquire(signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        start: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        // Only a signal that exists can call this.
        reject(signal ? abortedError(signal) : new EngineError('ABORTED', 'cancelled'));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  release(): void {
    const next = this.#waiting.values().next();
    if (next.done === true) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next.value);
    next.value.start();
  }

  /** Runs `work` in a slot. */
  async run<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    await this.acquire(signal);
    try {
      return await work();
    } finally {
      this.release();
    }
  }
}
