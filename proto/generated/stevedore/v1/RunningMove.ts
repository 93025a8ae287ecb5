// Original file: coordinator.proto

import type { SlotVolume as _stevedore_v1_SlotVolume, SlotVolume__Output as _stevedore_v1_SlotVolume__Output } from '../../stevedore/v1/SlotVolume.ts';
import type { SlotGrant as _stevedore_v1_SlotGrant, SlotGrant__Output as _stevedore_v1_SlotGrant__Output } from '../../stevedore/v1/SlotGrant.ts';
import type { MoveProgress as _stevedore_v1_MoveProgress, MoveProgress__Output as _stevedore_v1_MoveProgress__Output } from '../../stevedore/v1/MoveProgress.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A move that holds a slot.
 */
export interface RunningMove {
  'volume'?: (_stevedore_v1_SlotVolume | null);
  'node'?: (string);
  /**
   * For how long this controller has known of it.
   */
  'runningMs'?: (number | string | Long);
  /**
   * Missing for a move that began without a controller. Without a reason for one that an earlier
   * controller gave.
   */
  'grant'?: (_stevedore_v1_SlotGrant | null);
  /**
   * Of the agent's last heartbeat; missing where that did not name it.
   */
  'progress'?: (_stevedore_v1_MoveProgress | null);
}

/**
 * A move that holds a slot.
 */
export interface RunningMove__Output {
  'volume': (_stevedore_v1_SlotVolume__Output | null);
  'node': (string);
  /**
   * For how long this controller has known of it.
   */
  'runningMs': (number);
  /**
   * Missing for a move that began without a controller. Without a reason for one that an earlier
   * controller gave.
   */
  'grant': (_stevedore_v1_SlotGrant__Output | null);
  /**
   * Of the agent's last heartbeat; missing where that did not name it.
   */
  'progress': (_stevedore_v1_MoveProgress__Output | null);
}
