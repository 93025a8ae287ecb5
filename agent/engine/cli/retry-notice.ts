// Tells a person that the storage does not answer and that we keep trying, instead of silence.

import type { Clock } from '#engine/base/clock.ts';
import type { RetryEvent } from '#engine/storage/retrying.ts';
import { formatDuration } from './quantity.ts';
import { safeText } from './terminal-text.ts';

const NOTICE_MS = 5000;

/** A line for the second failure of a request and those after it, one every NOTICE_MS at most. */
export function retryNotice(
  say: (text: string) => void,
  clock: Clock,
): (event: RetryEvent) => void {
  let saidMs: number | undefined;
  return ({ attempt, delayMs, error }) => {
    const nowMs = clock.monotonic();
    if (attempt < 2 || (saidMs !== undefined && nowMs - saidMs < NOTICE_MS)) return;
    saidMs = nowMs;
    const pause = formatDuration(delayMs);
    say(
      `stevedore: trying again in ${pause} (failed ${attempt} times): ${safeText(error.message)}\n`,
    );
  };
}
