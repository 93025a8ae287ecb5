// velero.io/v2alpha1 DataDownload (Velero pkg/apis/velero/v2alpha1/data_download_types.go, 1.16 to
// 1.18).

import { veleroResource } from './move-object.ts';
import type { MoveObject, MoveSpec, MoveStatus } from './move-object.ts';

export interface DataDownloadSpec extends MoveSpec {
  readonly targetVolume: {
    readonly pvc: string;
    readonly pv?: string;
    readonly namespace: string;
  };
  readonly snapshotID: string;
  /** Namespace at backup time, which names the repository. */
  readonly sourceNamespace: string;
  readonly datamover?: string;
  /** `WriteSparseFiles`, `ParallelFilesDownload`. */
  readonly dataMoverConfig?: Readonly<Record<string, string>> | null;
  readonly operationTimeout?: string;
  readonly nodeOS?: string;
  /** Since 1.18. */
  readonly snapshotSize?: number;
}

export interface DataDownloadStatus extends MoveStatus {
  readonly node?: string;
  readonly acceptedByNode?: string;
}

export interface DataDownload extends MoveObject {
  readonly spec: DataDownloadSpec;
  readonly status?: DataDownloadStatus;
}

export const DATA_DOWNLOADS = veleroResource('datadownloads', 'DataDownload', 'v2alpha1');
