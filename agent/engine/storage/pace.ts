// A token bucket told in time: each byte takes its share of a second, and who comes while the
// bucket is in debt waits until the debt is paid. There are no refill ticks, so the flow is
// even, and one blob larger than the bucket goes through at once and is paid for by those after
// it.

import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';

export interface PaceOptions {
  readonly bytesPerSecond: number;
  /** What may pass at once after a rest; one second's worth by default. */
  readonly burstBytes?: number;
}

export class Pace {
  readonly #clock: Clock;
  readonly #msPerByte: number;
  readonly #burstMs: number;
  /** When what was admitted so far has been paid for, by the monotonic clock. */
  #paidAtMs: number;

  constructor(options: PaceOptions, clock: Clock) {
    const { bytesPerSecond, burstBytes = bytesPerSecond } = options;
    if (!(bytesPerSecond > 0 && Number.isFinite(bytesPerSecond) && burstBytes >= 0)) {
      throw new EngineError('USAGE', `a limit of ${bytesPerSecond} bytes per second is no limit`);
    }
    this.#clock = clock;
    this.#msPerByte = 1000 / bytesPerSecond;
    this.#burstMs = burstBytes * this.#msPerByte;
    this.#paidAtMs = clock.monotonic() - this.#burstMs;
  }

  /** Waits for its turn, then admits `bytes`. @throws ABORTED; then nothing was admitted */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const startMs = Math.max(this.#paidAtMs, nowMs - this.#burstMs);
    const costMs = bytes * this.#msPerByte;
    this.#paidAtMs = startMs + costMs;
    if (startMs <= nowMs) return;
    try {
      await this.#clock.sleep(startMs - nowMs, signal);
    } catch (error) {
      this.#paidAtMs -= costMs;
      throw error;
    }
  }
}
