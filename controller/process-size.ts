// The memory of the controller's process: small, although it has a connection to each node. Its
// program calls the first of these before anything else, and the second once it has begun.

import type { Clock } from '#engine/base/clock.ts';
import { giveMemoryBack, keepBuffersApart, keepProcessSmall } from '#engine/base/process-memory.ts';
import { unmapProgramPages } from '#engine/base/program-pages.ts';

/** It takes some microseconds for each page that is needed again. */
const UNMAP_MS = 10_000;
/** Of these one in so many: it holds the controller up for some 80 ms, with 1,000 agents. */
const COLLECT_EVERY = 6;

export function keepControllerSmall(): void {
  keepProcessSmall();
  keepBuffersApart();
}

/**
 * Until the signal fires. A thousand handshakes leave tens of MiB behind that nobody needs again,
 * and no collection is due while agents say little. Of the program itself a third is needed again
 * at once, and the rest seldom.
 */
export async function giveBackNowAndThen(clock: Clock, signal: AbortSignal): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      await clock.sleep(UNMAP_MS, signal);
    } catch {
      return;
    }
    if (count % COLLECT_EVERY === 0) await giveMemoryBack();
    unmapProgramPages();
  }
}
