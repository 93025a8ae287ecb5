// A machine's clocks by hand: time that passes moves all of them, a step only that of the wall, and
// a start of the machine begins its uptime anew.

import type { Clock } from '#engine/base/clock.ts';
import type { Boot } from '#engine/cache/repository-age.ts';

export const DAY_MS = 24 * 60 * 60 * 1000;
export const YEAR_MS = 365 * DAY_MS;

export class SteppingClock implements Clock {
  #wallMs = 1.7e12;
  #monotonicMs = 1000;
  #uptimeMs = 3000;
  #starts = 1;

  pass(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
    this.#uptimeMs += ms;
  }

  step(ms: number): void {
    this.#wallMs += ms;
  }

  restart(): void {
    this.#starts++;
    this.#uptimeMs = 0;
  }

  readonly readBoot = (): Boot => ({ bootId: `boot ${this.#starts}`, uptimeMs: this.#uptimeMs });

  now(): number {
    return this.#wallMs;
  }

  nowNanoseconds(): bigint {
    return BigInt(this.#wallMs) * 1_000_000n;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  async sleep(): Promise<void> {}
}
