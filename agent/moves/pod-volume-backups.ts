// PodVolumeBackup: one volume of a pod on this node into a repository. Two pods with one claim make
// one of these, which is the server's business.

import assert from 'node:assert/strict';
import type { MoveAdapter, MoveSituation, MoveSuccess, StockResult } from './move-adapter.ts';
import { countSetting, unsupportedUploader } from './move-adapter.ts';
import { backupMessage } from './move-message.ts';
import { cancelReasonOf } from './move-view.ts';
import { POD_VOLUME_BACKUPS } from './objects/pod-volume-backup.ts';
import type { PodVolumeBackup } from './objects/pod-volume-backup.ts';
import { ANNOTATIONS, LABELS, POD_VOLUME_FINALIZER } from './objects/well-known-names.ts';
import type { BackupOrder, BackupResult } from './volume-mover.ts';

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

  acceptedStatus: () => ({}),

  run: async (item, mover, options) => {
    const order = backupOrderOf(item);
    return successOf(order, await mover.backup(order, options));
  },

  // Not before: when another run has been faster, the object names that one's snapshot. And only
  // where there may be another snapshot than the one that it names, or a state that nobody goes on
  // from: looking costs a repository.
  afterEnd: async (item, { success, mayHavePublished, isTakenOver }, mover, signal) => {
    const { phase, snapshotID = '' } = item.status ?? {};
    const reportedId = snapshotID === '' ? undefined : snapshotID;
    if (phase === 'Completed' && reportedId === undefined) return;
    const isNamed = success !== undefined && success.status['snapshotID'] === reportedId;
    const isLeft = success === undefined ? mayHavePublished : !isNamed;
    const isGivenUp = phase !== 'Completed' && isUnwanted(item);
    if (!isTakenOver && !isLeft && !isGivenUp) return;
    await mover.forgetUnreported(backupOrderOf(item), { reportedId, isGivenUp }, signal);
  },

  successOfStock: (result: StockResult) =>
    result.snapshotID === undefined || result.snapshotID === ''
      ? undefined
      : {
          status: {
            path: result.source?.byPath,
            snapshotID: result.snapshotID,
            incrementalBytes: result.incrementalBytes,
          },
          totalBytes: result.totalBytes ?? 0,
          message: result.emptySnapshot === true ? 'the volume was empty' : undefined,
        },
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

/**
 * Somebody has cancelled it, or deleted it. A server that was restarted cancels what it does not
 * know any more, and asks for the same volume again: that goes on from the last state.
 */
function isUnwanted(item: PodVolumeBackup): boolean {
  const reason = cancelReasonOf(item);
  return reason === 'requested' || reason === 'deletion';
}

function claimOf({ metadata }: PodVolumeBackup): BackupOrder['claim'] {
  const name = metadata.annotations?.[ANNOTATIONS.claimName];
  const uid = metadata.labels?.[LABELS.claimUid];
  return name === undefined || uid === undefined ? undefined : { name, uid };
}

function successOf({ moveUid }: BackupOrder, result: BackupResult): MoveSuccess {
  assert.ok(result.snapshotId !== '', 'a backup that ended has a snapshot');
  return {
    status: {
      // As a stock mover of 1.17 sees the volume; 1.16 has the path on the host here, and no server
      // acts by it.
      path: `/${moveUid}`,
      snapshotID: result.snapshotId,
      incrementalBytes: result.incrementalBytes,
    },
    totalBytes: result.totalBytes,
    message: backupMessage(result),
    warning: result.skippedCount > 0 ? 'FilesSkipped' : undefined,
  };
}
