// What takes a look at everybody is made again when as much time has gone by as keeps that cheap,
// and whoever asks before that gets the same.

import type { Clock } from '#engine/base/clock.ts';

/** For so many times as long as it took: one of 10,000 that wait takes some 40 ms. */
const SAME_TIMES = 25;
const SAME_MS_MAX = 5_000;

export class KeptBriefly<Made> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #kept: { readonly made: Made; readonly untilMs: number } | undefined;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Nothing is kept of what `make` throws. */
  of(make: () => Made): Made {
    const nowMs = this.#clock.monotonic();
    if (this.#kept !== undefined && nowMs < this.#kept.untilMs) return this.#kept.made;
    this.#kept = undefined;
    const made = make();
    const madeMs = this.#clock.monotonic();
    const sameMs = Math.min((madeMs - nowMs) * SAME_TIMES, SAME_MS_MAX);
    this.#kept = { made, untilMs: madeMs + sameMs };
    return made;
  }
}
