// How far a volume is whose holder is there: a pod that has it mounted, or waits for it. Pure.

import type { HolderPod, VolumeClaim } from './exposed-objects.ts';

export type Exposure =
  /** `missing` completes `… is missing`. */
  | { readonly type: 'wait'; readonly missing: string }
  | { readonly type: 'exposed'; readonly nodeName: string }
  /** It will never be. */
  | { readonly type: 'hopeless'; readonly message: string };

/** A pod with one of these does not come to life by itself (Velero pkg/util/kube/pod.go). */
const DEAD_WAITS: ReadonlySet<string> = new Set(['ImagePullBackOff', 'ErrImageNeverPull']);

export function stateOfHolder(
  { metadata, spec, status }: HolderPod,
  claim?: VolumeClaim,
): Exposure {
  const { name } = metadata;
  if (metadata.deletionTimestamp) return wait(`the end of pod ${name}, which is deleted`);
  const phase = status?.phase ?? 'Pending';
  if (phase === 'Running' && spec.nodeName !== undefined) {
    return { type: 'exposed', nodeName: spec.nodeName };
  }
  if (phase !== 'Pending') return hopeless(`pod ${name}, which holds the volume, is ${phase}`);
  const waiting = status?.containerStatuses?.[0]?.state?.waiting;
  if (waiting && DEAD_WAITS.has(waiting.reason ?? '')) {
    const { reason = '', message = '' } = waiting;
    return hopeless(`pod ${name}, which holds the volume, cannot start: ${reason}: ${message}`);
  }
  const refusal = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (refusal?.status === 'False') {
    return wait(`a node for pod ${name} (${refusal.message ?? 'no reason given'})`);
  }
  const isBound = claim?.status?.phase === 'Bound';
  return wait(isBound ? `the mount of claim ${name}` : `a volume for claim ${name}`);
}

export function wait(missing: string): Exposure {
  return { type: 'wait', missing };
}

export function hopeless(message: string): Exposure {
  return { type: 'hopeless', message };
}
