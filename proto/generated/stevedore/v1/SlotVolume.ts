// Original file: coordinator.proto


/**
 * Volumes with the same key get their slots together.
 */
export interface _stevedore_v1_SlotVolume_Gang {
  'key'?: (string);
  /**
   * How many they are; missing where that is not known.
   */
  'count'?: (number);
  '_count'?: "count";
}

/**
 * Volumes with the same key get their slots together.
 */
export interface _stevedore_v1_SlotVolume_Gang__Output {
  'key': (string);
  /**
   * How many they are; missing where that is not known.
   */
  'count'?: (number);
  '_count'?: "count";
}

/**
 * A volume that is to be moved, as limits see it.
 */
export interface SlotVolume {
  /**
   * Uid of the custom resource of the move; of a copy ahead of a backup, which has none,
   * `pre-copy/` with the pod's uid, the volume and the location behind it.
   */
  'id'?: (string);
  'namespace'?: (string);
  'pod'?: (string);
  /**
   * Empty for volumes that have none.
   */
  'storageClass'?: (string);
  /**
   * Name of the BackupStorageLocation.
   */
  'location'?: (string);
  /**
   * Missing for a volume that is alone.
   */
  'gang'?: (_stevedore_v1_SlotVolume_Gang | null);
  /**
   * Kind and name of the custom resource of the move, such as "PodVolumeBackup/daily-1", and the
   * name of the volume in its pod: for people. Empty from agents that do not say them.
   */
  'move'?: (string);
  'volumeName'?: (string);
}

/**
 * A volume that is to be moved, as limits see it.
 */
export interface SlotVolume__Output {
  /**
   * Uid of the custom resource of the move; of a copy ahead of a backup, which has none,
   * `pre-copy/` with the pod's uid, the volume and the location behind it.
   */
  'id': (string);
  'namespace': (string);
  'pod': (string);
  /**
   * Empty for volumes that have none.
   */
  'storageClass': (string);
  /**
   * Name of the BackupStorageLocation.
   */
  'location': (string);
  /**
   * Missing for a volume that is alone.
   */
  'gang': (_stevedore_v1_SlotVolume_Gang__Output | null);
  /**
   * Kind and name of the custom resource of the move, such as "PodVolumeBackup/daily-1", and the
   * name of the volume in its pod: for people. Empty from agents that do not say them.
   */
  'move': (string);
  'volumeName': (string);
}
