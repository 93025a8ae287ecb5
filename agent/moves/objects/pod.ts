// corev1.Pod, what of it decides about a move: where it runs, what its init containers do, and, for
// the mover pod of a stock agent, how it ended.

import type { ClaimingVolume } from '#kube/claim-name.ts';
import type { KubeObject } from '#kube/kube-object.ts';

interface ContainerState {
  readonly waiting?: { readonly reason?: string };
  readonly running?: object;
  readonly terminated?: { readonly exitCode: number; readonly message?: string };
}

export interface ContainerStatus {
  readonly name: string;
  readonly state?: ContainerState;
  /** Of the one before it, where it was started again. */
  readonly lastState?: ContainerState;
}

export interface InitContainer {
  readonly name: string;
  readonly args?: readonly string[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface Pod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly initContainers?: readonly InitContainer[];
    readonly containers?: readonly {
      readonly name: string;
      readonly image?: string;
      readonly volumeDevices?: readonly object[];
    }[];
    readonly volumes?: readonly ClaimingVolume[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** Whichever its place among the init containers is. */
export function isInitContainerRunning(pod: Pod, name: string): boolean {
  const statuses = pod.status?.initContainerStatuses ?? [];
  return statuses.some(status => status.name === name && status.state?.running !== undefined);
}

/** Ended well; one that was killed is started again. */
export function hasPassedInitContainer(pod: Pod, name: string): boolean {
  const statuses = pod.status?.initContainerStatuses ?? [];
  return statuses.some(status => status.name === name && status.state?.terminated?.exitCode === 0);
}

/** It had ended well, and was started once more: with all others, after a reboot of the node. */
export function hasPassedInitContainerBefore(pod: Pod, name: string): boolean {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const status = statuses.find(each => each.name === name);
  return status?.lastState?.terminated?.exitCode === 0;
}

/**
 * True when the pods of this node have it: there, on that node, and not a later one of the name.
 */
export function isPodWithUid(pod: Pod | undefined, uid: string): pod is Pod {
  return pod?.metadata.uid === uid;
}
