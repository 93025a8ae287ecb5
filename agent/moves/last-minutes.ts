// The end of a process whose moves have to be brought to an end too, within a time that is given.

import type { Clock } from '#engine/base/clock.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import type { ObjectKey } from '#kube/kube-object.ts';

const PAUSE_MS = 250;

/**
 * Calls `work` for each key until it has succeeded or the time is over, when the signal aborts what
 * is under way; nobody waits for that.
 * @returns the keys for which it has not
 */
export async function retryEach(
  keys: Iterable<ObjectKey>,
  work: (key: ObjectKey, signal: AbortSignal) => Promise<unknown>,
  { withinMs, clock }: { readonly withinMs: number; readonly clock: Clock },
): Promise<ObjectKey[]> {
  const end = new AbortController();
  const left = new Set(keys);
  const retry = async (key: ObjectKey): Promise<void> => {
    while (left.has(key) && !end.signal.aborted) {
      // What failed is in the result; why is in the log of the loop that calls `reconcile` too.
      await work(key, end.signal).then(
        () => left.delete(key),
        () => clock.sleep(PAUSE_MS, end.signal).catch(() => undefined),
      );
    }
  };
  await settlesWithin(Promise.all([...left].map(retry)), withinMs, clock);
  end.abort();
  return [...left];
}
