// How fast bytes of blobs go to object storage and come from it, for all storages that share it.
// The rates may change at any time, for what is under way as well.

import type { SmoothRate } from '#engine/base/smooth-rate.ts';

export interface Traffic {
  /** Bodies of puts. */
  readonly upload: SmoothRate;
  /** Whole answers to gets. */
  readonly download: SmoothRate;
}
