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
   * To and from the object storage, over about the last ten seconds: its part of what the node
   * sends and fetches, as moves of a node share connections and contents.
   */
  'uploadBytesPerSecond'?: (number | string | Long);
  'downloadBytesPerSecond'?: (number | string | Long);
  /**
   * By which done_bytes grows, over about the same time; missing while it is not known.
   */
  'doneBytesPerSecond'?: (number | string | Long);
  '_totalBytes'?: "totalBytes";
  '_doneBytesPerSecond'?: "doneBytesPerSecond";
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
   * To and from the object storage, over about the last ten seconds: its part of what the node
   * sends and fetches, as moves of a node share connections and contents.
   */
  'uploadBytesPerSecond': (number);
  'downloadBytesPerSecond': (number);
  /**
   * By which done_bytes grows, over about the same time; missing while it is not known.
   */
  'doneBytesPerSecond'?: (number);
  '_totalBytes'?: "totalBytes";
  '_doneBytesPerSecond'?: "doneBytesPerSecond";
}
