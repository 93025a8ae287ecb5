// PodVolumeBackup: one volume of a pod on this node into a repository. Two pods with one claim make
// one of these, which is the server's business.

import { forgetsUnreported, successOfBackup, successOfStockBackup } from './backup-end.ts';
import type { MoveAdapter, MoveSituation } from './move-adapter.ts';
import { countSetting, unsupportedUploader } from './move-adapter.ts';
import { POD_VOLUME_BACKUPS } from './objects/pod-volume-backup.ts';
import type { PodVolumeBackup } from './objects/pod-volume-backup.ts';
import { ANNOTATIONS, LABELS, POD_VOLUME_FINALIZER } from './objects/well-known-names.ts';
import type { BackupOrder } from './volume-mover.ts';

export const podVolumeBackups = Object.freeze<MoveAdapter<PodVolumeBackup>>({
  resource: POD_VOLUME_BACKUPS,
  shortName: 'PVB',
  stockFinalizer: POD_VOLUME_FINALIZER,
  stockPodLabel: LABELS.podVolumeBackup,
  isCanceledAlwaysCounted: false,
  isFrozen: true,
  afterInterruption: 'the next backup of this volume continues from the last checkpoint',

  // A pod that is gone is found by whoever looks for its volume, with a message that says which.
  situationOf: (item, { nodeName }): MoveSituation =>
    item.spec.node === nodeName
      ? (unsupportedUploader(item) ?? { type: 'ready' })
      : { type: 'elsewhere' },

  statusAt: () => ({}),

  run: async (item, { mover, options }) => {
    const order = backupOrderOf(item);
    return successOfBackup(order, await mover.backup(order, options));
  },

  afterEnd: forgetsUnreported(backupOrderOf),

  successOfStock: successOfStockBackup,
});

export function backupOrderOf(item: PodVolumeBackup): BackupOrder {
  const { spec, metadata } = item;
  return {
    repository: {
      volumeNamespace: spec.pod.namespace,
      backupStorageLocation: spec.backupStorageLocation,
    },
    volume: {
      podUid: spec.pod.uid,
      podNamespace: spec.pod.namespace,
      podName: spec.pod.name,
      volume: spec.volume,
    },
    claim: claimOf(item),
    moveUid: metadata.uid ?? '',
    parallelFiles: countSetting(spec.uploaderSettings, 'ParallelFilesUpload'),
  };
}

function claimOf({ metadata }: PodVolumeBackup): BackupOrder['claim'] {
  const name = metadata.annotations?.[ANNOTATIONS.claimName];
  const uid = metadata.labels?.[LABELS.claimUid];
  return name === undefined || uid === undefined ? undefined : { name, uid };
}
