// velero.io/v2alpha1 DataUpload (Velero pkg/apis/velero/v2alpha1/data_upload_types.go, 1.16 to
// 1.18).

import { veleroResource } from './move-object.ts';
import type { MoveObject, MoveSpec, MoveStatus } from './move-object.ts';

export interface DataUploadSpec extends MoveSpec {
  /** `CSI` */
  readonly snapshotType: string;
  readonly csiSnapshot?: {
    readonly volumeSnapshot: string;
    readonly storageClass: string;
    readonly snapshotClass?: string;
    /** Since 1.17. */
    readonly driver?: string;
  } | null;
  /** Claim in the namespace of the application. */
  readonly sourcePVC: string;
  readonly sourceNamespace: string;
  /** Empty or `velero`: Velero's own; anything else is somebody else's. */
  readonly datamover?: string;
  /** `ParallelFilesUpload`: a number as text. */
  readonly dataMoverConfig?: Readonly<Record<string, string>> | null;
  /** Go's text of a duration. */
  readonly operationTimeout?: string;
}

export interface DataUploadStatus extends MoveStatus {
  readonly path?: string;
  readonly snapshotID?: string;
  /** Since 1.18. */
  readonly incrementalBytes?: number;
  /** Where the volume is mounted; since Prepared. */
  readonly node?: string;
  readonly nodeOS?: string;
  readonly acceptedByNode?: string;
}

export interface DataUpload extends MoveObject {
  readonly spec: DataUploadSpec;
  readonly status?: DataUploadStatus;
}

export const DATA_UPLOADS = veleroResource('datauploads', 'DataUpload', 'v2alpha1');
