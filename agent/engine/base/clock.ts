// Time comes from here, so that tests can hold it still.

import { setTimeout as delay } from 'node:timers/promises';
import { abortedError } from './abort.ts';

export interface Clock {
  /** Milliseconds since 1970, may step. */
  now(): number;
  /** Nanoseconds since 1970 as far as the platform resolves them, may step. */
  nowNanoseconds(): bigint;
  /** Milliseconds from an arbitrary start, never steps back. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const startMilliseconds = BigInt(Date.now());
const startHrtime = process.hrtime.bigint();

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  // Date has milliseconds only; the monotonic counter supplies the digits below, so that two
  // manifests written in the same millisecond still differ.
  nowNanoseconds: () => {
    const elapsed = process.hrtime.bigint() - startHrtime;
    const precise = startMilliseconds * 1_000_000n + elapsed;
    const coarse = BigInt(Date.now()) * 1_000_000n;
    const drift = precise - coarse;
    return drift > 1_000_000_000n || drift < -1_000_000_000n ? coarse : precise;
  },
  monotonic: () => performance.now(),
  sleep: async (ms: number, signal?: AbortSignal) => {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      throw signal?.aborted ? abortedError(signal) : error;
    }
  },
});
