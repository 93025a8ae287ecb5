// DataUpload and DataDownload: moves of snapshots of CSI (Velero pkg/apis/velero/v2alpha1, 1.16 to
// 1.18).

import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import type { Resource } from '#kube/kube-object.ts';

export interface DataMoveObject extends MoveObject {
  readonly spec: MoveObject['spec'] & { readonly datamover?: string };
  readonly status?: MoveObject['status'] & {
    /** Since Prepared. */
    readonly node?: string;
    readonly acceptedByNode?: string;
  };
}

export const DATA_UPLOADS = dataMoves('datauploads', 'DataUpload');
export const DATA_DOWNLOADS = dataMoves('datadownloads', 'DataDownload');

export function isDataMove({ plural }: Resource): boolean {
  return plural === DATA_UPLOADS.plural || plural === DATA_DOWNLOADS.plural;
}

/** Of a data mover that somebody else has installed; agents of Velero leave it alone, too. */
export function isForeign(datamover: string | undefined): boolean {
  return datamover !== undefined && datamover !== '' && datamover !== 'velero';
}

function dataMoves(plural: string, kind: string): Resource {
  const version = 'v2alpha1';
  return Object.freeze({ group: 'velero.io', version, plural, kind, isNamespaced: true });
}
