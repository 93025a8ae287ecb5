// velero.io/v1 PodVolumeRestore (Velero pkg/apis/velero/v1/pod_volume_restore_type.go, 1.16 to
// 1.18).

import { veleroResource } from './move-object.ts';
import type { MoveObject, MoveSpec, MoveStatus, PodReference } from './move-object.ts';

export interface PodVolumeRestoreSpec extends MoveSpec {
  readonly pod: PodReference;
  readonly volume: string;
  readonly repoIdentifier: string;
  readonly uploaderType?: string;
  readonly snapshotID: string;
  /** Namespace at backup time, which names the repository. */
  readonly sourceNamespace: string;
  /** `WriteSparseFiles`, `ParallelFilesDownload`. */
  readonly uploaderSettings?: Readonly<Record<string, string>> | null;
  /** Since 1.18. */
  readonly snapshotSize?: number;
}

export interface PodVolumeRestoreStatus extends MoveStatus {
  /** Since 1.17: who accepted it. */
  readonly node?: string;
}

export interface PodVolumeRestore extends MoveObject {
  readonly spec: PodVolumeRestoreSpec;
  readonly status?: PodVolumeRestoreStatus;
}

export const POD_VOLUME_RESTORES = veleroResource('podvolumerestores', 'PodVolumeRestore');
