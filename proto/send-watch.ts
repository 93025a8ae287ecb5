// Looks after messages that are under way, of one session or of a thousand, and says which of them
// are stuck. One timer for all: to call one off for each message makes two errors with their
// stacks, 24 µs, and to keep one for each session takes 3 KiB. All have the same time, so the
// first in the order of their beginnings is the next that may be late.

import type { Clock } from '#engine/base/clock.ts';
import { SEND_MS_MAX } from './wire-limits.ts';

/** Told once, of the message that began last. */
export type OnStuck = () => void;

export class SendWatch {
  readonly #clock: Pick<Clock, 'sleep' | 'monotonic'>;
  readonly #end: AbortSignal;
  /** Since when, the oldest in front. */
  readonly #underWay = new Map<OnStuck, number>();
  #isLooking = false;

  /** `end`: nobody is told any more. */
  constructor(clock: Pick<Clock, 'sleep' | 'monotonic'>, end: AbortSignal) {
    this.#clock = clock;
    this.#end = end;
  }

  began(onStuck: OnStuck): void {
    // Where it stood it would be older than it is.
    this.#underWay.delete(onStuck);
    this.#underWay.set(onStuck, this.#clock.monotonic());
    if (!this.#isLooking) void this.#look();
  }

  /** It has been taken, or nobody wants to know. */
  ended(onStuck: OnStuck): void {
    this.#underWay.delete(onStuck);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    for (;;) {
      const [first] = this.#underWay;
      if (first === undefined || this.#end.aborted) break;
      const [onStuck, sinceMs] = first;
      const leftMs = sinceMs + SEND_MS_MAX - this.#clock.monotonic();
      if (leftMs > 0) {
        await this.#clock.sleep(leftMs, this.#end).catch(() => undefined);
      } else {
        this.#underWay.delete(onStuck);
        onStuck();
      }
    }
    this.#isLooking = false;
  }
}
