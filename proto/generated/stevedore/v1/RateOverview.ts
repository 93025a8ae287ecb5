// Original file: coordinator.proto

import type { Long } from '@grpc/proto-loader';

/**
 * The bandwidth of the cluster in one direction, in bytes a second.
 */
export interface RateOverview {
  /**
   * Missing for no limit.
   */
  'limit'?: (number | string | Long);
  /**
   * What nodes may be using together; missing where one of them has no limit.
   */
  'given'?: (number | string | Long);
  /**
   * What they say they use.
   */
  'used'?: (number | string | Long);
  '_limit'?: "limit";
  '_given'?: "given";
}

/**
 * The bandwidth of the cluster in one direction, in bytes a second.
 */
export interface RateOverview__Output {
  /**
   * Missing for no limit.
   */
  'limit'?: (number);
  /**
   * What nodes may be using together; missing where one of them has no limit.
   */
  'given'?: (number);
  /**
   * What they say they use.
   */
  'used': (number);
  '_limit'?: "limit";
  '_given'?: "given";
}
