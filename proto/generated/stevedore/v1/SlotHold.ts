// Original file: coordinator.proto

import type { SlotVolume as _stevedore_v1_SlotVolume, SlotVolume__Output as _stevedore_v1_SlotVolume__Output } from '../../stevedore/v1/SlotVolume.ts';
import type { GrantSerial as _stevedore_v1_GrantSerial, GrantSerial__Output as _stevedore_v1_GrantSerial__Output } from '../../stevedore/v1/GrantSerial.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A move that runs on the node.
 */
export interface SlotHold {
  'volume'?: (_stevedore_v1_SlotVolume | null);
  /**
   * Of the request.
   */
  'number'?: (number | string | Long);
  /**
   * Missing for a move that began without the controller.
   */
  'grant'?: (_stevedore_v1_GrantSerial | null);
  /**
   * The controller was away for a lease time while this move ran, or when it began: its slot may
   * have been given to another one.
   */
  'alone'?: (boolean);
}

/**
 * A move that runs on the node.
 */
export interface SlotHold__Output {
  'volume': (_stevedore_v1_SlotVolume__Output | null);
  /**
   * Of the request.
   */
  'number': (number);
  /**
   * Missing for a move that began without the controller.
   */
  'grant': (_stevedore_v1_GrantSerial__Output | null);
  /**
   * The controller was away for a lease time while this move ran, or when it began: its slot may
   * have been given to another one.
   */
  'alone': (boolean);
}
