// A signal that fires when a time is over, by a clock that tests can hold still.

import type { Clock } from './clock.ts';

export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/** Fires with `reason` after `withinMs`, unless it is disposed of before. */
export function deadline(
  clock: Pick<Clock, 'sleep'>,
  withinMs: number,
  reason?: unknown,
): Deadline {
  const end = new AbortController();
  const timer = new AbortController();
  void clock.sleep(withinMs, timer.signal).then(
    () => end.abort(reason),
    () => undefined,
  );
  return { signal: end.signal, [Symbol.dispose]: () => timer.abort() };
}
