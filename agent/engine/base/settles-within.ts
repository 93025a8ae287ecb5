// Waiting for work that may take longer than anybody has time for. It goes on by itself.

import { type Clock, systemClock } from './clock.ts';

/** Whether `work` was done before `timeoutMs` were over; rejects as it does until then. */
export async function settlesWithin(
  work: Promise<unknown>,
  timeoutMs: number,
  clock: Pick<Clock, 'sleep'> = systemClock,
): Promise<boolean> {
  const timer = new AbortController();
  const late = clock.sleep(timeoutMs, timer.signal).then(
    () => false,
    () => false, // It is not waited for any more.
  );
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.abort();
  }
}
