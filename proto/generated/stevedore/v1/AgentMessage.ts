// Original file: coordinator.proto

import type { Hello as _stevedore_v1_Hello, Hello__Output as _stevedore_v1_Hello__Output } from '../../stevedore/v1/Hello.ts';
import type { Heartbeat as _stevedore_v1_Heartbeat, Heartbeat__Output as _stevedore_v1_Heartbeat__Output } from '../../stevedore/v1/Heartbeat.ts';
import type { SlotReport as _stevedore_v1_SlotReport, SlotReport__Output as _stevedore_v1_SlotReport__Output } from '../../stevedore/v1/SlotReport.ts';
import type { SharesInForce as _stevedore_v1_SharesInForce, SharesInForce__Output as _stevedore_v1_SharesInForce__Output } from '../../stevedore/v1/SharesInForce.ts';

/**
 * From an agent.
 */
export interface AgentMessage {
  /**
   * First and once, at most 10 s after the stream was opened.
   */
  'hello'?: (_stevedore_v1_Hello | null);
  /**
   * After Welcome at once and then every 10 s: how the node does.
   */
  'heartbeat'?: (_stevedore_v1_Heartbeat | null);
  /**
   * At every change and at least every Welcome.report_ms.
   */
  'slots'?: (_stevedore_v1_SlotReport | null);
  /**
   * At every change of what is obeyed, and once after Welcome.
   */
  'shares'?: (_stevedore_v1_SharesInForce | null);
  'message'?: "hello"|"heartbeat"|"slots"|"shares";
}

/**
 * From an agent.
 */
export interface AgentMessage__Output {
  /**
   * First and once, at most 10 s after the stream was opened.
   */
  'hello'?: (_stevedore_v1_Hello__Output | null);
  /**
   * After Welcome at once and then every 10 s: how the node does.
   */
  'heartbeat'?: (_stevedore_v1_Heartbeat__Output | null);
  /**
   * At every change and at least every Welcome.report_ms.
   */
  'slots'?: (_stevedore_v1_SlotReport__Output | null);
  /**
   * At every change of what is obeyed, and once after Welcome.
   */
  'shares'?: (_stevedore_v1_SharesInForce__Output | null);
  'message'?: "hello"|"heartbeat"|"slots"|"shares";
}
