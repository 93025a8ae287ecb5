// What whoever opens a cache brings with it: its clock, its ears, and what tests put in the place
// of the machine.

import type { Clock } from '#engine/base/clock.ts';
import type { CacheEvent } from './cache-settings.ts';
import type { DiskSpace } from './disk-space.ts';
import type { Boot } from './repository-age.ts';

export interface CacheOptions {
  readonly clock?: Clock;
  readonly onEvent?: (event: CacheEvent) => void;
  readonly isNativeAllowed?: boolean;
  readonly readDisk?: (directory: string) => Promise<DiskSpace>;
  /** False: whoever opens it calls look() by themselves. */
  readonly isWatching?: boolean;
  /** Which start of the machine this is, for ages of repositories. */
  readonly readBoot?: () => Boot;
}
