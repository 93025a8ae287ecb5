// Original file: coordinator.proto

import type { SlotVolume as _stevedore_v1_SlotVolume, SlotVolume__Output as _stevedore_v1_SlotVolume__Output } from '../../stevedore/v1/SlotVolume.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * The wish for a slot. Stands in every report until the slot is there or not wanted any more.
 */
export interface SlotRequest {
  'volume'?: (_stevedore_v1_SlotVolume | null);
  /**
   * Counts the requests of this start of the agent: who asks again for the same move takes a new
   * number, so that a grant for the old one is known as such.
   */
  'number'?: (number | string | Long);
  /**
   * 0 to 9; more is sooner.
   */
  'priority'?: (number);
  /**
   * For how long it has wanted one, by the agent's clock, in milliseconds.
   */
  'waitedMs'?: (number | string | Long);
}

/**
 * The wish for a slot. Stands in every report until the slot is there or not wanted any more.
 */
export interface SlotRequest__Output {
  'volume': (_stevedore_v1_SlotVolume__Output | null);
  /**
   * Counts the requests of this start of the agent: who asks again for the same move takes a new
   * number, so that a grant for the old one is known as such.
   */
  'number': (number);
  /**
   * 0 to 9; more is sooner.
   */
  'priority': (number);
  /**
   * For how long it has wanted one, by the agent's clock, in milliseconds.
   */
  'waitedMs': (number);
}
