// PodVolumeRestore: a snapshot into a volume of a pod that waits for it in its init container.

import type { MoveAdapter, MoveSite, MoveSituation, MoveSuccess } from './move-adapter.ts';
import { countSetting, unsupportedUploader } from './move-adapter.ts';
import {
  hasPassedInitContainer,
  hasPassedInitContainerBefore,
  isInitContainerRunning,
  isPodWithUid,
} from './objects/pod.ts';
import type { Pod } from './objects/pod.ts';
import { POD_VOLUME_RESTORES } from './objects/pod-volume-restore.ts';
import type { PodVolumeRestore } from './objects/pod-volume-restore.ts';
import {
  LABELS,
  POD_VOLUME_FINALIZER,
  RESTORE_WAIT_CONTAINER,
} from './objects/well-known-names.ts';
import { successOfRestore } from './restore-end.ts';
import type { RestoreOrder, RestoreResult } from './volume-mover.ts';

export const podVolumeRestores = Object.freeze<MoveAdapter<PodVolumeRestore>>({
  resource: POD_VOLUME_RESTORES,
  shortName: 'PVR',
  stockFinalizer: POD_VOLUME_FINALIZER,
  stockPodLabel: LABELS.podVolumeRestore,
  // Velero pkg/podvolume/restorer.go compares the phase before with the phase now, since 1.17.0.
  isCanceledAlwaysCounted: true,
  // Its pod has not begun, and waits for all of them anyway.
  isFrozen: false,
  afterInterruption: 'the volume is incomplete; run the restore again',

  situationOf,

  statusAt: (phase, { nodeName }) => (phase === 'Accepted' ? { node: nodeName } : {}),

  run: async (item, { mover, options }) =>
    successOf(item, await mover.restore(restoreOrderOf(item), options)),

  // The stock mover has written the done file before it ended.
  successOfStock: result => ({ status: {}, totalBytes: result.totalBytes ?? 0 }),
});

function situationOf(item: PodVolumeRestore, { nodeName, pods }: MoveSite): MoveSituation {
  const { namespace, name, uid } = item.spec.pod;
  const pod = pods.get(`${namespace}/${name}`);
  if (!isPodWithUid(pod, uid)) {
    if (item.status?.node !== nodeName) return { type: 'elsewhere' };
    return {
      type: 'hopeless',
      message: `pod ${namespace}/${name} (${uid}) is gone from this node`,
    };
  }
  const unsupported = unsupportedUploader(item);
  if (unsupported) return unsupported;
  if (restoreUidOf(item) === undefined) {
    const message = 'it has no owner whose uid could name the file that the pod waits for';
    return { type: 'hopeless', message };
  }
  if (hasGoneOn(pod)) {
    return { type: 'passed', success: { status: {}, totalBytes: bytesOf(item) } };
  }
  return isInitContainerRunning(pod, RESTORE_WAIT_CONTAINER)
    ? { type: 'ready' }
    : { type: 'waiting', missing: `a running init container ${RESTORE_WAIT_CONTAINER}` };
}

/**
 * Its helper ends well only when it has seen the done files of all volumes (1.18.1
 * cmd/velero-restore-helper): an agent was killed between that and its last write. It may wait once
 * more, after a reboot; its app has written since.
 */
function hasGoneOn(pod: Pod): boolean {
  return [hasPassedInitContainer, hasPassedInitContainerBefore].some(hasPassed =>
    hasPassed(pod, RESTORE_WAIT_CONTAINER),
  );
}

/** As far as the object says. */
function bytesOf({ spec, status }: PodVolumeRestore): number {
  return spec.snapshotSize ?? status?.progress?.totalBytes ?? 0;
}

/** What the pod's helper looks for (Velero pkg/podvolume/restore_micro_service.go). */
function restoreUidOf({ metadata }: PodVolumeRestore): string | undefined {
  return metadata.ownerReferences?.[0]?.uid;
}

export function restoreOrderOf(item: PodVolumeRestore): RestoreOrder {
  const { spec, metadata } = item;
  return {
    repository: {
      volumeNamespace: spec.sourceNamespace,
      backupStorageLocation: spec.backupStorageLocation,
    },
    volume: {
      podUid: spec.pod.uid,
      podNamespace: spec.pod.namespace,
      podName: spec.pod.name,
      volume: spec.volume,
    },
    snapshotId: spec.snapshotID,
    doneFile: restoreUidOf(item) ?? '',
    moveUid: metadata.uid ?? '',
    parallelFiles: countSetting(spec.uploaderSettings, 'ParallelFilesDownload'),
  };
}

function successOf(item: PodVolumeRestore, result: RestoreResult): MoveSuccess {
  if (result.wasDone) {
    const message = 'the volume was restored before: its done file was there';
    return { status: {}, totalBytes: bytesOf(item), message };
  }
  return successOfRestore(result);
}
