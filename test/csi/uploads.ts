// Orders to move a snapshot, as Velero's server makes them when the snapshot has been taken.

import type { ApiClient } from '#test/cluster/api-client.ts';
import { SNAPSHOT_CLASS, STORAGE_CLASS } from './csi.ts';

export const DATA_UPLOADS_PATH = '/apis/velero.io/v2alpha1/namespaces/velero/datauploads';

export interface UploadOf {
  readonly namespace: string;
  readonly claim: string;
  readonly claimUid?: string;
  /** Of the Backup. */
  readonly backup: string;
  readonly snapshotClass?: string;
  readonly storageClass?: string;
}

/** Does not wait until it is ready. */
export async function takeSnapshot(client: ApiClient, name: string, of: UploadOf): Promise<void> {
  await client.create({
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace: of.namespace, labels: labelsOf(of) },
    spec: {
      volumeSnapshotClassName: of.snapshotClass ?? SNAPSHOT_CLASS,
      source: { persistentVolumeClaimName: of.claim },
    },
  });
}

/** @param name of the snapshot, and of the order */
export async function askForUpload(client: ApiClient, name: string, of: UploadOf): Promise<void> {
  const { namespace, claim, storageClass = STORAGE_CLASS } = of;
  await client.create({
    apiVersion: 'velero.io/v2alpha1',
    kind: 'DataUpload',
    metadata: { name, namespace: 'velero', labels: labelsOf(of) },
    spec: {
      snapshotType: 'CSI',
      csiSnapshot: { volumeSnapshot: name, storageClass, snapshotClass: SNAPSHOT_CLASS },
      sourcePVC: claim,
      sourceNamespace: namespace,
      backupStorageLocation: 'default',
      operationTimeout: '10m0s',
    },
  });
}

function labelsOf({ backup, claimUid }: UploadOf): Record<string, string> {
  const labels = { 'velero.io/backup-name': backup };
  return claimUid === undefined ? labels : { ...labels, 'velero.io/pvc-uid': claimUid };
}
