// Of a pod that waits for its volumes: which node it is on, and what keeps it from being filled.

import {
  type ContainerStatus,
  isInitContainerRunning,
  isPodWithUid,
  type Pod,
} from '#agent/moves/objects/pod.ts';
import { RESTORE_WAIT_CONTAINER } from '#agent/moves/objects/well-known-names.ts';
import type { RestoredPod } from './decide-stuck.ts';

interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

export interface ConditionedPod extends Pod {
  readonly status?: Pod['status'] & { readonly conditions?: readonly PodCondition[] };
}

/** Undefined where it is gone, or is another one of the same name. */
export function restoredPodOf(
  pod: ConditionedPod | undefined,
  uid: string,
): { readonly node: string | undefined; readonly state: RestoredPod } | undefined {
  if (!isPodWithUid(pod, uid)) return undefined;
  const { nodeName } = pod.spec ?? {};
  const node = nodeName === '' ? undefined : nodeName;
  if (node === undefined) return { node, state: { kind: 'waiting', why: unscheduled(pod) } };
  if (isInitContainerRunning(pod, RESTORE_WAIT_CONTAINER)) {
    return { node, state: { kind: 'ready' } };
  }
  return { node, state: { kind: 'waiting', why: notStarted(pod, node) } };
}

function unscheduled({ status }: ConditionedPod): string {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  const why = scheduled?.status === 'False' ? (scheduled.message ?? '') : '';
  return `is on no node yet${why === '' ? '' : `: ${why}`}`;
}

function notStarted({ status }: ConditionedPod, node: string): string {
  const statuses: readonly ContainerStatus[] = status?.initContainerStatuses ?? [];
  const waiting = statuses.find(({ state }) => state?.waiting?.reason !== undefined);
  const named = waiting && `: ${waiting.name} is ${waiting.state?.waiting?.reason ?? ''}`;
  return `does not run its init container ${RESTORE_WAIT_CONTAINER} on ${node}${named ?? ''}`;
}
