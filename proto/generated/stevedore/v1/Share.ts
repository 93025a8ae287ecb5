// Original file: coordinator.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One of them, in one direction.
 */
export interface Share {
  /**
   * Given back in SharesInForce when the node obeys it.
   */
  'number'?: (number | string | Long);
  /**
   * Missing for no limit; 0 stops the bytes.
   */
  'bytesPerSecond'?: (number | string | Long);
  '_bytesPerSecond'?: "bytesPerSecond";
}

/**
 * One of them, in one direction.
 */
export interface Share__Output {
  /**
   * Given back in SharesInForce when the node obeys it.
   */
  'number': (number);
  /**
   * Missing for no limit; 0 stops the bytes.
   */
  'bytesPerSecond'?: (number);
  '_bytesPerSecond'?: "bytesPerSecond";
}
