// Original file: coordinator.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A move that has ended, and not as it should have: it failed, was cancelled, or is not whole.
 */
export interface FailedMove {
  /**
   * Uid of its custom resource.
   */
  'id'?: (string);
  /**
   * Kind and name of it, such as "PodVolumeBackup/daily-1".
   */
  'move'?: (string);
  /**
   * Whose volume it is; of what has no pod the namespace alone.
   */
  'namespace'?: (string);
  'pod'?: (string);
  /**
   * In its pod.
   */
  'volumeName'?: (string);
  /**
   * As it stands in the custom resource: Failed, Canceled, or Completed with something to be said.
   */
  'phase'?: (string);
  /**
   * Of docs/errors.md; empty where there is none.
   */
  'code'?: (string);
  /**
   * At most 300 characters, all of them printable ASCII; what is secret was hidden by the agent.
   */
  'message'?: (string);
  /**
   * How long ago it ended, by the agent's monotonic clock, in milliseconds.
   */
  'endedAgoMs'?: (number | string | Long);
}

/**
 * A move that has ended, and not as it should have: it failed, was cancelled, or is not whole.
 */
export interface FailedMove__Output {
  /**
   * Uid of its custom resource.
   */
  'id': (string);
  /**
   * Kind and name of it, such as "PodVolumeBackup/daily-1".
   */
  'move': (string);
  /**
   * Whose volume it is; of what has no pod the namespace alone.
   */
  'namespace': (string);
  'pod': (string);
  /**
   * In its pod.
   */
  'volumeName': (string);
  /**
   * As it stands in the custom resource: Failed, Canceled, or Completed with something to be said.
   */
  'phase': (string);
  /**
   * Of docs/errors.md; empty where there is none.
   */
  'code': (string);
  /**
   * At most 300 characters, all of them printable ASCII; what is secret was hidden by the agent.
   */
  'message': (string);
  /**
   * How long ago it ended, by the agent's monotonic clock, in milliseconds.
   */
  'endedAgoMs': (number);
}
