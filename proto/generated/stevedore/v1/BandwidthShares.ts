// Original file: coordinator.proto

import type { Share as _stevedore_v1_Share, Share__Output as _stevedore_v1_Share__Output } from '../../stevedore/v1/Share.ts';

/**
 * What a node may use of the cluster's bandwidth, for all of its moves together.
 */
export interface BandwidthShares {
  /**
   * Missing: nothing has been said yet, and what is obeyed stays.
   */
  'upload'?: (_stevedore_v1_Share | null);
  'download'?: (_stevedore_v1_Share | null);
}

/**
 * What a node may use of the cluster's bandwidth, for all of its moves together.
 */
export interface BandwidthShares__Output {
  /**
   * Missing: nothing has been said yet, and what is obeyed stays.
   */
  'upload': (_stevedore_v1_Share__Output | null);
  'download': (_stevedore_v1_Share__Output | null);
}
