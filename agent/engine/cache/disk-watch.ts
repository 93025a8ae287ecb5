// Looks at the disk again and again, and sooner than asked for where looks come late: on a machine
// with more to do than processors, a thread that is never idle was seen to wait 0.4 s for one. It
// was not the disk: statfs took less than a millisecond beside a neighbour who writes 600 MB/s.

import type { Clock } from '#engine/base/clock.ts';
import { LOOK_INTERVAL_MS_MIN } from './look-interval.ts';

/** What is left of an earlier delay after a second. */
const KEPT_PER_SECOND = 0.5;

/** How late looks come, the latest of late. */
export class LookDelay {
  #lateMs = 0;
  #atMs = 0;

  note(lateMs: number, nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1000;
    this.#lateMs = Math.max(0, lateMs, this.#lateMs * KEPT_PER_SECOND ** seconds);
    this.#atMs = nowMs;
  }

  /** How long to wait for a look that should come after `wantedMs`. */
  waitMs(wantedMs: number): number {
    return Math.max(Math.min(wantedMs, LOOK_INTERVAL_MS_MIN), wantedMs - this.#lateMs);
  }
}

export interface WatchParts {
  readonly clock: Clock;
  readonly look: () => Promise<void>;
  /** From one look to the next, as the last one has found. */
  readonly intervalMs: () => number;
}

export class DiskWatch {
  readonly #parts: WatchParts;
  readonly #delay = new LookDelay();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Keeps no process alive. */
  start(): void {
    if (this.#isStopped) return;
    const { clock, look, intervalMs } = this.#parts;
    const waitMs = this.#delay.waitMs(intervalMs());
    const dueMs = clock.monotonic() + waitMs;
    this.#timer = setTimeout(() => {
      const nowMs = clock.monotonic();
      this.#delay.note(nowMs - dueMs, nowMs);
      void look().finally(() => this.start());
    }, waitMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
