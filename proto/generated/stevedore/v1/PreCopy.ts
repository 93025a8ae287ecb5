// Original file: coordinator.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One of them.
 */
export interface PreCopy {
  'namespace'?: (string);
  'pod'?: (string);
  'podUid'?: (string);
  /**
   * In its pod.
   */
  'volumeName'?: (string);
  /**
   * Name of the BackupStorageLocation that the backup will go to.
   */
  'location'?: (string);
  /**
   * When the backup is due, in milliseconds since 1970 by the controller's clock. For an agent only
   * a name of that backup.
   */
  'dueMs'?: (number | string | Long);
  /**
   * How long it is until then. Over, it is not wanted any more, whatever is heard.
   */
  'leftMs'?: (number | string | Long);
  /**
   * Name of the claim that the volume is made from, by which the agent finds its storage class.
   * Empty for a volume that has none, and from controllers that do not say it: then no limit of a
   * storage class holds the copy.
   */
  'claim'?: (string);
}

/**
 * One of them.
 */
export interface PreCopy__Output {
  'namespace': (string);
  'pod': (string);
  'podUid': (string);
  /**
   * In its pod.
   */
  'volumeName': (string);
  /**
   * Name of the BackupStorageLocation that the backup will go to.
   */
  'location': (string);
  /**
   * When the backup is due, in milliseconds since 1970 by the controller's clock. For an agent only
   * a name of that backup.
   */
  'dueMs': (number);
  /**
   * How long it is until then. Over, it is not wanted any more, whatever is heard.
   */
  'leftMs': (number);
  /**
   * Name of the claim that the volume is made from, by which the agent finds its storage class.
   * Empty for a volume that has none, and from controllers that do not say it: then no limit of a
   * storage class holds the copy.
   */
  'claim': (string);
}
