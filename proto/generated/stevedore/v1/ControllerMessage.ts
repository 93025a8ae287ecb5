// Original file: coordinator.proto

import type { Welcome as _stevedore_v1_Welcome, Welcome__Output as _stevedore_v1_Welcome__Output } from '../../stevedore/v1/Welcome.ts';
import type { SlotAnswer as _stevedore_v1_SlotAnswer, SlotAnswer__Output as _stevedore_v1_SlotAnswer__Output } from '../../stevedore/v1/SlotAnswer.ts';
import type { BandwidthShares as _stevedore_v1_BandwidthShares, BandwidthShares__Output as _stevedore_v1_BandwidthShares__Output } from '../../stevedore/v1/BandwidthShares.ts';
import type { Drain as _stevedore_v1_Drain, Drain__Output as _stevedore_v1_Drain__Output } from '../../stevedore/v1/Drain.ts';
import type { PreCopies as _stevedore_v1_PreCopies, PreCopies__Output as _stevedore_v1_PreCopies__Output } from '../../stevedore/v1/PreCopies.ts';

/**
 * From the controller.
 */
export interface ControllerMessage {
  /**
   * First and once.
   */
  'welcome'?: (_stevedore_v1_Welcome | null);
  /**
   * After each SlotReport, and whenever the node was granted something.
   */
  'slots'?: (_stevedore_v1_SlotAnswer | null);
  /**
   * Whenever the node's share changes.
   */
  'shares'?: (_stevedore_v1_BandwidthShares | null);
  /**
   * After Welcome where it is active, and at every change.
   */
  'drain'?: (_stevedore_v1_Drain | null);
  /**
   * After Welcome and at every change, to an agent that has the capability "pre-copy".
   */
  'preCopies'?: (_stevedore_v1_PreCopies | null);
  'message'?: "welcome"|"slots"|"shares"|"drain"|"preCopies";
}

/**
 * From the controller.
 */
export interface ControllerMessage__Output {
  /**
   * First and once.
   */
  'welcome'?: (_stevedore_v1_Welcome__Output | null);
  /**
   * After each SlotReport, and whenever the node was granted something.
   */
  'slots'?: (_stevedore_v1_SlotAnswer__Output | null);
  /**
   * Whenever the node's share changes.
   */
  'shares'?: (_stevedore_v1_BandwidthShares__Output | null);
  /**
   * After Welcome where it is active, and at every change.
   */
  'drain'?: (_stevedore_v1_Drain__Output | null);
  /**
   * After Welcome and at every change, to an agent that has the capability "pre-copy".
   */
  'preCopies'?: (_stevedore_v1_PreCopies__Output | null);
  'message'?: "welcome"|"slots"|"shares"|"drain"|"preCopies";
}
