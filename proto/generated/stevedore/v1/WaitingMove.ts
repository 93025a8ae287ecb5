// Original file: coordinator.proto

import type { SlotVolume as _stevedore_v1_SlotVolume, SlotVolume__Output as _stevedore_v1_SlotVolume__Output } from '../../stevedore/v1/SlotVolume.ts';
import type { SlotWait as _stevedore_v1_SlotWait, SlotWait__Output as _stevedore_v1_SlotWait__Output } from '../../stevedore/v1/SlotWait.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A move that has no slot yet.
 */
export interface WaitingMove {
  'volume'?: (_stevedore_v1_SlotVolume | null);
  'priority'?: (number);
  'waitedMs'?: (number | string | Long);
  /**
   * Its place and its cause.
   */
  'wait'?: (_stevedore_v1_SlotWait | null);
  /**
   * The first volume that room is kept for, where the cause is KEPT: uid of its custom resource.
   */
  'keptFor'?: (string);
  /**
   * Nodes that ask for it.
   */
  'nodes'?: (string)[];
}

/**
 * A move that has no slot yet.
 */
export interface WaitingMove__Output {
  'volume': (_stevedore_v1_SlotVolume__Output | null);
  'priority': (number);
  'waitedMs': (number);
  /**
   * Its place and its cause.
   */
  'wait': (_stevedore_v1_SlotWait__Output | null);
  /**
   * The first volume that room is kept for, where the cause is KEPT: uid of its custom resource.
   */
  'keptFor': (string);
  /**
   * Nodes that ask for it.
   */
  'nodes': (string)[];
}
