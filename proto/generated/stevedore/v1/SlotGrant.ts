// Original file: coordinator.proto

import type { GrantSerial as _stevedore_v1_GrantSerial, GrantSerial__Output as _stevedore_v1_GrantSerial__Output } from '../../stevedore/v1/GrantSerial.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * It waited for longer than its priority may wait.
 */
export interface _stevedore_v1_SlotGrant_Overdue {
  'waitedMs'?: (number | string | Long);
}

/**
 * It waited for longer than its priority may wait.
 */
export interface _stevedore_v1_SlotGrant_Overdue__Output {
  'waitedMs': (number);
}

/**
 * Its turn among the namespaces of its priority.
 */
export interface _stevedore_v1_SlotGrant_Turn {
  'priority'?: (number);
}

/**
 * Its turn among the namespaces of its priority.
 */
export interface _stevedore_v1_SlotGrant_Turn__Output {
  'priority': (number);
}

/**
 * The gang is larger than a limit: so many of it now.
 */
export interface _stevedore_v1_SlotGrant_Wave {
  'gang'?: (string);
  /**
   * Counted from 1.
   */
  'wave'?: (number);
  'count'?: (number);
  /**
   * How many follow as slots become free.
   */
  'leftCount'?: (number);
}

/**
 * The gang is larger than a limit: so many of it now.
 */
export interface _stevedore_v1_SlotGrant_Wave__Output {
  'gang': (string);
  /**
   * Counted from 1.
   */
  'wave': (number);
  'count': (number);
  /**
   * How many follow as slots become free.
   */
  'leftCount': (number);
}

/**
 * All waiting volumes of its gang at once.
 */
export interface _stevedore_v1_SlotGrant_WholeGang {
  'gang'?: (string);
  'count'?: (number);
}

/**
 * All waiting volumes of its gang at once.
 */
export interface _stevedore_v1_SlotGrant_WholeGang__Output {
  'gang': (string);
  'count': (number);
}

/**
 * A slot.
 */
export interface SlotGrant {
  'grant'?: (_stevedore_v1_GrantSerial | null);
  /**
   * Uid of the custom resource of the move.
   */
  'id'?: (string);
  /**
   * Of the request that it answers.
   */
  'number'?: (number | string | Long);
  'turn'?: (_stevedore_v1_SlotGrant_Turn | null);
  'overdue'?: (_stevedore_v1_SlotGrant_Overdue | null);
  'gang'?: (_stevedore_v1_SlotGrant_WholeGang | null);
  'wave'?: (_stevedore_v1_SlotGrant_Wave | null);
  /**
   * Why now. Empty where the reason is of a later version.
   */
  'reason'?: "turn"|"overdue"|"gang"|"wave";
}

/**
 * A slot.
 */
export interface SlotGrant__Output {
  'grant': (_stevedore_v1_GrantSerial__Output | null);
  /**
   * Uid of the custom resource of the move.
   */
  'id': (string);
  /**
   * Of the request that it answers.
   */
  'number': (number);
  'turn'?: (_stevedore_v1_SlotGrant_Turn__Output | null);
  'overdue'?: (_stevedore_v1_SlotGrant_Overdue__Output | null);
  'gang'?: (_stevedore_v1_SlotGrant_WholeGang__Output | null);
  'wave'?: (_stevedore_v1_SlotGrant_Wave__Output | null);
  /**
   * Why now. Empty where the reason is of a later version.
   */
  'reason'?: "turn"|"overdue"|"gang"|"wave";
}
