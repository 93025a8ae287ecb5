// Original file: coordinator.proto

import type { Heartbeat as _stevedore_v1_Heartbeat, Heartbeat__Output as _stevedore_v1_Heartbeat__Output } from '../../stevedore/v1/Heartbeat.ts';
import type { BandwidthShares as _stevedore_v1_BandwidthShares, BandwidthShares__Output as _stevedore_v1_BandwidthShares__Output } from '../../stevedore/v1/BandwidthShares.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A node that has an agent.
 */
export interface NodeOverview {
  'name'?: (string);
  /**
   * Whether its agent has a session. Without one its slots are held until their lease ends.
   */
  'connected'?: (boolean);
  /**
   * Of its program. Empty without a session, as all that follows but for counts.
   */
  'version'?: (string);
  /**
   * For how long it has had this session.
   */
  'connectedMs'?: (number | string | Long);
  'slotsUsed'?: (number);
  /**
   * 0 takes no more.
   */
  'slotsMax'?: (number);
  'waitingCount'?: (number);
  /**
   * The last one of this session; missing before it came.
   */
  'heartbeat'?: (_stevedore_v1_Heartbeat | null);
  /**
   * What it was told to use at most; missing where nothing moves there.
   */
  'shares'?: (_stevedore_v1_BandwidthShares | null);
}

/**
 * A node that has an agent.
 */
export interface NodeOverview__Output {
  'name': (string);
  /**
   * Whether its agent has a session. Without one its slots are held until their lease ends.
   */
  'connected': (boolean);
  /**
   * Of its program. Empty without a session, as all that follows but for counts.
   */
  'version': (string);
  /**
   * For how long it has had this session.
   */
  'connectedMs': (number);
  'slotsUsed': (number);
  /**
   * 0 takes no more.
   */
  'slotsMax': (number);
  'waitingCount': (number);
  /**
   * The last one of this session; missing before it came.
   */
  'heartbeat': (_stevedore_v1_Heartbeat__Output | null);
  /**
   * What it was told to use at most; missing where nothing moves there.
   */
  'shares': (_stevedore_v1_BandwidthShares__Output | null);
}
