// The memory of the controller's process: small, although it has a connection to each node. Its
// program calls the first of these before anything else, and the second once it has begun.

import type { Clock } from '#engine/base/clock.ts';
import { giveMemoryBack, keepBuffersApart, keepProcessSmall } from '#engine/base/process-memory.ts';

/** It holds the controller up for some 80 ms, with 1,000 agents. */
const COLLECT_MS = 60_000;

export function keepControllerSmall(): void {
  keepProcessSmall();
  keepBuffersApart();
}

/**
 * Until the signal fires. A thousand handshakes leave tens of MiB behind that nobody needs again,
 * and no collection is due while agents say little.
 */
export async function giveBackNowAndThen(clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await clock.sleep(COLLECT_MS, signal);
    } catch {
      return;
    }
    await giveMemoryBack();
  }
}
