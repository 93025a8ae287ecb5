// The end of a process whose moves have to be brought to an end too, within a time that is given.

import type { Clock } from '#engine/base/clock.ts';
import type { ObjectKey } from '#kube/kube-object.ts';

const ROUND_MS = 250;

/**
 * Calls `work` for each key until it has succeeded for all or the time is over, when the signal
 * aborts what is under way.
 * @returns the keys for which it has not
 */
export async function retryEach(
  keys: Iterable<ObjectKey>,
  work: (key: ObjectKey, signal: AbortSignal) => Promise<unknown>,
  { withinMs, clock }: { readonly withinMs: number; readonly clock: Clock },
): Promise<ObjectKey[]> {
  const end = new AbortController();
  const timer = new AbortController();
  const timeOver = clock.sleep(withinMs, timer.signal).then(
    () => end.abort(),
    () => undefined,
  );
  const left = new Set(keys);
  while (left.size > 0 && !end.signal.aborted) {
    await Promise.all(
      [...left].map(async key => {
        // What failed is in the result; why is in the log of the loop that calls `reconcile` too.
        await work(key, end.signal).then(
          () => left.delete(key),
          () => undefined,
        );
      }),
    );
    if (left.size > 0) await clock.sleep(ROUND_MS, end.signal).catch(() => undefined);
  }
  timer.abort();
  await timeOver;
  return [...left];
}
