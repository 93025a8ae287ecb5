// Original file: coordinator.proto

import type { SlotGrant as _stevedore_v1_SlotGrant, SlotGrant__Output as _stevedore_v1_SlotGrant__Output } from '../../stevedore/v1/SlotGrant.ts';
import type { Revocation as _stevedore_v1_Revocation, Revocation__Output as _stevedore_v1_Revocation__Output } from '../../stevedore/v1/Revocation.ts';
import type { SlotWait as _stevedore_v1_SlotWait, SlotWait__Output as _stevedore_v1_SlotWait__Output } from '../../stevedore/v1/SlotWait.ts';
import type { Long } from '@grpc/proto-loader';

export interface _stevedore_v1_SlotAnswer_Heard {
  'sequence'?: (number | string | Long);
  /**
   * As it stood in the report.
   */
  'sentAtMs'?: (number | string);
}

export interface _stevedore_v1_SlotAnswer_Heard__Output {
  'sequence': (number);
  /**
   * As it stood in the report.
   */
  'sentAtMs': (number);
}

/**
 * All that the node was granted, and what of it is wanted back.
 */
export interface SlotAnswer {
  /**
   * The agent's start that is answered, as in Hello.
   */
  'session'?: (number | string | Long);
  'epoch'?: (number | string | Long);
  /**
   * Grows with every answer of the epoch.
   */
  'number'?: (number | string | Long);
  /**
   * Of the newest report that was heard. The lease of all slots counts from it.
   */
  'heard'?: (_stevedore_v1_SlotAnswer_Heard | null);
  /**
   * All slots of this node, those that it has told of included.
   */
  'grants'?: (_stevedore_v1_SlotGrant)[];
  /**
   * Moves that the controller wants stopped. Named until the node has let go of them.
   */
  'revoked'?: (_stevedore_v1_Revocation)[];
  /**
   * Of what the node waits for, at most 20, the first of them first: why it waits. For people.
   */
  'waits'?: (_stevedore_v1_SlotWait)[];
}

/**
 * All that the node was granted, and what of it is wanted back.
 */
export interface SlotAnswer__Output {
  /**
   * The agent's start that is answered, as in Hello.
   */
  'session': (number);
  'epoch': (number);
  /**
   * Grows with every answer of the epoch.
   */
  'number': (number);
  /**
   * Of the newest report that was heard. The lease of all slots counts from it.
   */
  'heard': (_stevedore_v1_SlotAnswer_Heard__Output | null);
  /**
   * All slots of this node, those that it has told of included.
   */
  'grants': (_stevedore_v1_SlotGrant__Output)[];
  /**
   * Moves that the controller wants stopped. Named until the node has let go of them.
   */
  'revoked': (_stevedore_v1_Revocation__Output)[];
  /**
   * Of what the node waits for, at most 20, the first of them first: why it waits. For people.
   */
  'waits': (_stevedore_v1_SlotWait__Output)[];
}
