// corev1.Pod, what of it decides about a move: where it runs, what its init containers do, and, for
// the mover pod of a stock agent, how it ended.

import type { KubeObject } from '#kube/kube-object.ts';

export interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly running?: object;
    readonly terminated?: { readonly exitCode: number; readonly message?: string };
  };
}

export interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
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

/**
 * True when the pods of this node have it: there, on that node, and not a later one of the name.
 */
export function isPodWithUid(pod: Pod | undefined, uid: string): pod is Pod {
  return pod?.metadata.uid === uid;
}
