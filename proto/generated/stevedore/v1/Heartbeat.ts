// Original file: coordinator.proto

import type { MoveProgress as _stevedore_v1_MoveProgress, MoveProgress__Output as _stevedore_v1_MoveProgress__Output } from '../../stevedore/v1/MoveProgress.ts';
import type { FailedMove as _stevedore_v1_FailedMove, FailedMove__Output as _stevedore_v1_FailedMove__Output } from '../../stevedore/v1/FailedMove.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * The cache of the node; missing where there is none.
 */
export interface _stevedore_v1_Heartbeat_Cache {
  /**
   * What it may take now.
   */
  'limitBytes'?: (number | string | Long);
  /**
   * What it takes.
   */
  'usedBytes'?: (number | string | Long);
  /**
   * Promised to what is being written; missing from agents that do not say it.
   */
  'reservedBytes'?: (number | string | Long);
  /**
   * Free space of its disk at which the kubelet begins to evict pods: the nearest of its lines.
   * Missing where it has none there, and from agents that do not say it.
   */
  'evictionLineBytes'?: (number | string | Long);
  '_reservedBytes'?: "reservedBytes";
  '_evictionLineBytes'?: "evictionLineBytes";
}

/**
 * The cache of the node; missing where there is none.
 */
export interface _stevedore_v1_Heartbeat_Cache__Output {
  /**
   * What it may take now.
   */
  'limitBytes': (number);
  /**
   * What it takes.
   */
  'usedBytes': (number);
  /**
   * Promised to what is being written; missing from agents that do not say it.
   */
  'reservedBytes'?: (number);
  /**
   * Free space of its disk at which the kubelet begins to evict pods: the nearest of its lines.
   * Missing where it has none there, and from agents that do not say it.
   */
  'evictionLineBytes'?: (number);
  '_reservedBytes'?: "reservedBytes";
  '_evictionLineBytes'?: "evictionLineBytes";
}

/**
 * Of the agent's process.
 */
export interface _stevedore_v1_Heartbeat_Memory {
  /**
   * Resident.
   */
  'usedBytes'?: (number | string | Long);
  /**
   * What its control group allows; missing where nothing does.
   */
  'limitBytes'?: (number | string | Long);
  '_limitBytes'?: "limitBytes";
}

/**
 * Of the agent's process.
 */
export interface _stevedore_v1_Heartbeat_Memory__Output {
  /**
   * Resident.
   */
  'usedBytes': (number);
  /**
   * What its control group allows; missing where nothing does.
   */
  'limitBytes'?: (number);
  '_limitBytes'?: "limitBytes";
}

/**
 * How a node does. For people, metrics and shares of bandwidth; nothing is granted by it.
 */
export interface Heartbeat {
  /**
   * Of the file system that holds the cache; missing where there is no cache on a disk.
   */
  'diskFreeBytes'?: (number | string | Long);
  'cache'?: (_stevedore_v1_Heartbeat_Cache | null);
  'memory'?: (_stevedore_v1_Heartbeat_Memory | null);
  /**
   * All moves under way, at most 1,000.
   */
  'moves'?: (_stevedore_v1_MoveProgress)[];
  /**
   * The last moves of this start of the agent that did not end as they should have, the newest
   * first, at most 10. None from agents that do not say it.
   */
  'failed'?: (_stevedore_v1_FailedMove)[];
  '_diskFreeBytes'?: "diskFreeBytes";
}

/**
 * How a node does. For people, metrics and shares of bandwidth; nothing is granted by it.
 */
export interface Heartbeat__Output {
  /**
   * Of the file system that holds the cache; missing where there is no cache on a disk.
   */
  'diskFreeBytes'?: (number);
  'cache': (_stevedore_v1_Heartbeat_Cache__Output | null);
  'memory': (_stevedore_v1_Heartbeat_Memory__Output | null);
  /**
   * All moves under way, at most 1,000.
   */
  'moves': (_stevedore_v1_MoveProgress__Output)[];
  /**
   * The last moves of this start of the agent that did not end as they should have, the newest
   * first, at most 10. None from agents that do not say it.
   */
  'failed': (_stevedore_v1_FailedMove__Output)[];
  '_diskFreeBytes'?: "diskFreeBytes";
}
