// Original file: coordinator.proto

import type { PreCopy as _stevedore_v1_PreCopy, PreCopy__Output as _stevedore_v1_PreCopy__Output } from '../../stevedore/v1/PreCopy.ts';

/**
 * All volumes of the node that are to be copied now, ahead of a scheduled backup. A volume that
 * stands here no more is not wanted any more; a copy of it that runs is to be stopped. Each is
 * copied once for its `due_ms`, in a slot as moves are; without a controller none is.
 */
export interface PreCopies {
  /**
   * At most 1,000.
   */
  'volumes'?: (_stevedore_v1_PreCopy)[];
}

/**
 * All volumes of the node that are to be copied now, ahead of a scheduled backup. A volume that
 * stands here no more is not wanted any more; a copy of it that runs is to be stopped. Each is
 * copied once for its `due_ms`, in a slot as moves are; without a controller none is.
 */
export interface PreCopies__Output {
  /**
   * At most 1,000.
   */
  'volumes': (_stevedore_v1_PreCopy__Output)[];
}
