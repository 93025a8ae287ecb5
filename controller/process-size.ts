// The memory of the controller's process: small, although it has a connection to each node. Its
// program calls the first of these before anything else, and the second once it has begun.

import type { Clock } from '#engine/base/clock.ts';
import { giveMemoryBack, keepBuffersApart, keepProcessSmall } from '#engine/base/process-memory.ts';
import { forgetProgramPages, unmapProgramPages } from '#engine/base/program-pages.ts';

/** Holds the controller up for some 80 ms with 1,000 agents, half a percent of a core. */
const COLLECT_MS = 15_000;
/** What of the program comes back meanwhile is little, and quick to come. */
const UNMAP_MS = 2_000;

export function keepControllerSmall(): void {
  keepProcessSmall();
  keepBuffersApart();
  forgetProgramPages();
}

/**
 * Until the signal fires. A thousand handshakes leave tens of MiB behind that nobody needs again,
 * and no collection is due while agents say little.
 */
export async function giveBackNowAndThen(clock: Clock, signal: AbortSignal): Promise<void> {
  let collectedMs = clock.monotonic();
  for (;;) {
    try {
      await clock.sleep(UNMAP_MS, signal);
    } catch {
      return;
    }
    if (clock.monotonic() - collectedMs >= COLLECT_MS) {
      await giveMemoryBack();
      collectedMs = clock.monotonic();
    }
    unmapProgramPages();
  }
}
