// Original file: coordinator.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A move under way.
 */
export interface MoveProgress {
  /**
   * Uid of its custom resource.
   */
  'id'?: (string);
  /**
   * Kind of its custom resource, such as PodVolumeBackup.
   */
  'kind'?: (string);
  'doneBytes'?: (number | string | Long);
  /**
   * Missing while it is not known.
   */
  'totalBytes'?: (number | string | Long);
  /**
   * To and from the object storage, over about the last ten seconds.
   */
  'uploadBytesPerSecond'?: (number | string | Long);
  'downloadBytesPerSecond'?: (number | string | Long);
  '_totalBytes'?: "totalBytes";
}

/**
 * A move under way.
 */
export interface MoveProgress__Output {
  /**
   * Uid of its custom resource.
   */
  'id': (string);
  /**
   * Kind of its custom resource, such as PodVolumeBackup.
   */
  'kind': (string);
  'doneBytes': (number);
  /**
   * Missing while it is not known.
   */
  'totalBytes'?: (number);
  /**
   * To and from the object storage, over about the last ten seconds.
   */
  'uploadBytesPerSecond': (number);
  'downloadBytesPerSecond': (number);
  '_totalBytes'?: "totalBytes";
}
