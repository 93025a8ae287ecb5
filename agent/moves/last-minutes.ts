// The end of a process whose moves have to be brought to an end too, within a time that is given.

import { type Clock, systemClock } from '#engine/base/clock.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import type { ObjectKey } from '#kube/kube-object.ts';

const PAUSE_MS = 250;
/** A storage that works may take longer for one answer, but seldom gives none in that time. */
const UNANSWERED_MS_MAX = 10_000;
const UNANSWERED_SHARE_MAX = 0.5;

/** What work waits for. */
export interface Answering {
  /** How long it has not answered; 0 where nothing is asked for. */
  readonly unansweredMs: number;
  /** Told when work that asks for it is not waited for any longer. */
  givenUp(): void;
}

/**
 * Waits for work until the time is over, or until it is plain that it waits in vain: half of the
 * time has gone by without an answer.
 */
export async function settlesWhileAnswered(
  work: Promise<unknown>,
  withinMs: number,
  answering: Answering | undefined,
  clock: Pick<Clock, 'sleep' | 'monotonic'> = systemClock,
): Promise<void> {
  const endMs = clock.monotonic() + withinMs;
  const patienceMs = Math.min(UNANSWERED_MS_MAX, withinMs * UNANSWERED_SHARE_MAX);
  for (;;) {
    const leftMs = endMs - clock.monotonic();
    if (leftMs <= 0) return;
    const waitMs = patienceMs - (answering?.unansweredMs ?? 0);
    if (waitMs <= 0) return answering?.givenUp();
    if (await settlesWithin(work, Math.min(leftMs, waitMs), clock)) return;
  }
}

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
