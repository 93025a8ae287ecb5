// velero.io/v1 PodVolumeBackup (Velero pkg/apis/velero/v1/pod_volume_backup_types.go, 1.16 to
// 1.18).

import { veleroResource } from './move-object.ts';
import type { MoveObject, MoveSpec, MoveStatus, PodReference } from './move-object.ts';

export interface PodVolumeBackupSpec extends MoveSpec {
  readonly node: string;
  readonly pod: PodReference;
  /** Name in `pod.spec.volumes[]`. */
  readonly volume: string;
  /** Empty for kopia. */
  readonly repoIdentifier: string;
  readonly uploaderType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** `ParallelFilesUpload`: a number as text, "0" for the default. */
  readonly uploaderSettings?: Readonly<Record<string, string>> | null;
}

export interface PodVolumeBackupStatus extends MoveStatus {
  readonly path?: string;
  readonly snapshotID?: string;
  /** Since 1.18. */
  readonly incrementalBytes?: number;
}

export interface PodVolumeBackup extends MoveObject {
  readonly spec: PodVolumeBackupSpec;
  readonly status?: PodVolumeBackupStatus;
}

export const POD_VOLUME_BACKUPS = veleroResource('podvolumebackups', 'PodVolumeBackup');
