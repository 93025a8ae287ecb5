// Original file: coordinator.proto

import type { Share as _stevedore_v1_Share, Share__Output as _stevedore_v1_Share__Output } from '../../stevedore/v1/Share.ts';

/**
 * What the node obeys now. Of a controller before this one as well: the last word holds until
 * there is another one.
 */
export interface SharesInForce {
  /**
   * Missing: no controller has ever said anything.
   */
  'upload'?: (_stevedore_v1_Share | null);
  'download'?: (_stevedore_v1_Share | null);
}

/**
 * What the node obeys now. Of a controller before this one as well: the last word holds until
 * there is another one.
 */
export interface SharesInForce__Output {
  /**
   * Missing: no controller has ever said anything.
   */
  'upload': (_stevedore_v1_Share__Output | null);
  'download': (_stevedore_v1_Share__Output | null);
}
