// Original file: coordinator.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Names one grant for ever: serials begin anew with each epoch.
 */
export interface GrantSerial {
  /**
   * Of the controller that granted: grows with every change of leader.
   */
  'epoch'?: (number | string | Long);
  'serial'?: (number | string | Long);
}

/**
 * Names one grant for ever: serials begin anew with each epoch.
 */
export interface GrantSerial__Output {
  /**
   * Of the controller that granted: grows with every change of leader.
   */
  'epoch': (number);
  'serial': (number);
}
