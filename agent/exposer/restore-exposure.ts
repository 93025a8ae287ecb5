// What to make next so that a volume can be filled for a claim that waits for it, as one pure
// function of what there is (Velero 1.18.1 pkg/exposer/generic_restore.go). The claim of the
// application has a selector that no volume has, so nobody else makes one for it meanwhile.

import type { HolderPod, StorageClass, VolumeClaim } from './exposed-objects.ts';
import { type Exposure, hopeless, stateOfHolder, wait } from './holder-state.ts';

/** What there is; those that are absent are not there. */
export interface RestoredParts {
  /** Of the application, which waits. */
  readonly target?: VolumeClaim;
  readonly targetClass?: StorageClass;
  /** Ours. */
  readonly claim?: VolumeClaim;
  readonly holder?: HolderPod;
}

export type RestoreExposureStep =
  | { readonly type: 'make-claim'; readonly like: VolumeClaim }
  /** `nodeName`: the one that the scheduler has chosen for whoever waits. */
  | { readonly type: 'make-holder'; readonly like: VolumeClaim; readonly nodeName?: string }
  | Exposure;

export interface RestoreExposureRules {
  /** Of the application, `namespace/name`. */
  readonly targetName: string;
  /** The volume is made without a pod of the application that waits for it. */
  readonly ignoresDelayedBinding: boolean;
}

const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

export function nextRestoreExposure(
  parts: RestoredParts,
  { targetName, ignoresDelayedBinding }: RestoreExposureRules,
): RestoreExposureStep {
  const { target, claim, holder } = parts;
  if (target === undefined) return wait(`claim ${targetName}`);
  if (target.metadata.deletionTimestamp) return hopeless(`claim ${targetName} is being deleted`);
  const { volumeName = '' } = target.spec;
  if (volumeName !== '') {
    return hopeless(`claim ${targetName} has volume ${volumeName} already; nothing is restored`);
  }
  if (holder !== undefined) return stateOfHolder(holder, claim);
  if (claim?.metadata.deletionTimestamp) {
    return wait(`the end of claim ${claim.metadata.name}, which is deleted`);
  }
  const nodeName = target.metadata.annotations?.[SELECTED_NODE];
  const isDelayed = parts.targetClass?.volumeBindingMode === 'WaitForFirstConsumer';
  if (isDelayed && !ignoresDelayedBinding && nodeName === undefined) {
    return wait(`a pod that uses claim ${targetName}, and a node for that pod,`);
  }
  return claim === undefined
    ? { type: 'make-claim', like: target }
    : { type: 'make-holder', like: target, nodeName };
}
