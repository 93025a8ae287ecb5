// Original file: coordinator.proto


// Original file: coordinator.proto

export const _stevedore_v1_SlotWait_Cause = {
  /**
   * Not said, or a cause of a later version.
   */
  CAUSE_UNSPECIFIED: 0,
  /**
   * The limit is reached.
   */
  FULL: 1,
  /**
   * There is room at the limit, kept for one that goes first.
   */
  KEPT: 2,
  /**
   * The limit is 0.
   */
  STOPPED: 3,
  /**
   * Further volumes of its gang may come.
   */
  GATHERING: 4,
  /**
   * The controller does not know yet what runs.
   */
  STARTING: 5,
  /**
   * It begins with the next decision.
   */
  NEXT: 6,
} as const;

export type _stevedore_v1_SlotWait_Cause =
  /**
   * Not said, or a cause of a later version.
   */
  | 'CAUSE_UNSPECIFIED'
  | 0
  /**
   * The limit is reached.
   */
  | 'FULL'
  | 1
  /**
   * There is room at the limit, kept for one that goes first.
   */
  | 'KEPT'
  | 2
  /**
   * The limit is 0.
   */
  | 'STOPPED'
  | 3
  /**
   * Further volumes of its gang may come.
   */
  | 'GATHERING'
  | 4
  /**
   * The controller does not know yet what runs.
   */
  | 'STARTING'
  | 5
  /**
   * It begins with the next decision.
   */
  | 'NEXT'
  | 6

export type _stevedore_v1_SlotWait_Cause__Output = typeof _stevedore_v1_SlotWait_Cause[keyof typeof _stevedore_v1_SlotWait_Cause]

export interface _stevedore_v1_SlotWait_Limit {
  /**
   * Of node, class, location and cluster.
   */
  'kind'?: (string);
  /**
   * Of the node, the storage class or the BackupStorageLocation; empty for the cluster.
   */
  'name'?: (string);
}

export interface _stevedore_v1_SlotWait_Limit__Output {
  /**
   * Of node, class, location and cluster.
   */
  'kind': (string);
  /**
   * Of the node, the storage class or the BackupStorageLocation; empty for the cluster.
   */
  'name': (string);
}

/**
 * Why a volume has no slot yet.
 */
export interface SlotWait {
  /**
   * Uid of the custom resource of the move.
   */
  'id'?: (string);
  /**
   * In the queue of the cluster, from 1; the volumes of a gang stand at the same place.
   */
  'place'?: (number);
  'cause'?: (_stevedore_v1_SlotWait_Cause);
  /**
   * The limit that it waits at, where the cause is one of FULL, KEPT and STOPPED.
   */
  'limit'?: (_stevedore_v1_SlotWait_Limit | null);
}

/**
 * Why a volume has no slot yet.
 */
export interface SlotWait__Output {
  /**
   * Uid of the custom resource of the move.
   */
  'id': (string);
  /**
   * In the queue of the cluster, from 1; the volumes of a gang stand at the same place.
   */
  'place': (number);
  'cause': (_stevedore_v1_SlotWait_Cause__Output);
  /**
   * The limit that it waits at, where the cause is one of FULL, KEPT and STOPPED.
   */
  'limit': (_stevedore_v1_SlotWait_Limit__Output | null);
}
