// Which done files a pod that waits for its volumes should find: those of volumes that were
// restored already. A node that is rebooted runs init containers again, and `restore-wait` would
// wait for ever for a file that is gone (velero#8018). Pure.

import {
  hasPassedInitContainerBefore,
  type InitContainer,
  isInitContainerRunning,
  type Pod,
} from './objects/pod.ts';
import type { PodVolumeRestore } from './objects/pod-volume-restore.ts';
import { RESTORE_WAIT_CONTAINER } from './objects/well-known-names.ts';
import { phaseOf } from './phases.ts';
import { restoreOrderOf } from './pod-volume-restores.ts';
import type { RestoreOrder } from './volume-mover.ts';

export type DoneOrder = Pick<RestoreOrder, 'volume' | 'doneFile'>;

/** The helper looks at each directory there (velero 1.18.1 cmd/velero-restore-helper). */
const MOUNTED_AT = '/restores/';

/**
 * Of each volume whose restore is Completed. Restores go with their backup, after weeks; where the
 * pod has none any more, and its helper has ended well before, of all volumes that this looks at.
 * Nothing where the pod does not wait.
 * @param restores of the pod of that name, whatever their phase
 */
export function doneOrdersOf(pod: Pod, restores: readonly PodVolumeRestore[]): DoneOrder[] {
  if (!isInitContainerRunning(pod, RESTORE_WAIT_CONTAINER)) return [];
  const own = restores.filter(({ spec }) => spec.pod.uid === pod.metadata.uid);
  if (own.length === 0) return ordersOfHelper(pod);
  return own
    .filter(({ status }) => phaseOf(status?.phase) === 'Completed')
    .map(item => doneOrderOf(item))
    .filter(({ doneFile }) => doneFile !== '');
}

export function doneOrderOf(item: PodVolumeRestore): DoneOrder {
  const { volume, doneFile } = restoreOrderOf(item);
  return { volume, doneFile };
}

function ordersOfHelper(pod: Pod): DoneOrder[] {
  const { uid: podUid, namespace: podNamespace, name: podName } = pod.metadata;
  const helper = pod.spec?.initContainers?.find(({ name }) => name === RESTORE_WAIT_CONTAINER);
  const doneFile = helper?.args?.[0];
  const isSure = hasPassedInitContainerBefore(pod, RESTORE_WAIT_CONTAINER);
  if (!helper || !isSure || doneFile === undefined) return [];
  if (podUid === undefined || podNamespace === undefined) return [];
  return volumesOf(helper).map(volume => ({
    volume: { podUid, podNamespace, podName, volume },
    doneFile,
  }));
}

function volumesOf({ volumeMounts = [] }: InitContainer): string[] {
  const restored = volumeMounts.filter(({ name, mountPath }) => mountPath === MOUNTED_AT + name);
  return restored.map(({ name }) => name);
}
