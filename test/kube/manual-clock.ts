// A clock that stands until it is told how late it is.

import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  nowNanoseconds(): bigint {
    return BigInt(this.now()) * 1_000_000n;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  /** How many wait for it. */
  get sleeperCount(): number {
    return this.#sleepers.size;
  }

  /** Milliseconds until the first of them wakes; Infinity when nobody sleeps. */
  get nextMs(): number {
    return Math.min(...[...this.#sleepers].map(({ dueMs }) => dueMs - this.#nowMs));
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { dueMs: this.#nowMs + ms, wake: resolve };
    const onAbort = () => signal && reject(abortedError(signal));
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Wakes whoever is due by then, and lets them do what they do. */
  async pass(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const { dueMs, wake } of [...this.#sleepers]) if (dueMs <= this.#nowMs) wake();
    await settle();
  }
}

/** After everything that waits for nothing but promises and sockets at hand. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}

/** Resolves when `isTrue` is, which something at work will make it. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(setImmediate);
}
