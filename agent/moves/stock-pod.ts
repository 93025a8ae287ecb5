// The mover pod that a stock agent of 1.17 and later made for a move: named like the object, owned
// by it, in its namespace. It works alone, and says in its termination message how it ended.

import type { Pod } from './objects/pod.ts';
import type { MoveObject } from './objects/move-object.ts';
import type { MoveSite, StockResult } from './move-adapter.ts';
import type { StockPodState } from './phase-machine.ts';
import { keyOf } from '#kube/kube-object.ts';

/** How a cancelled mover ends its message (Velero pkg/datapath/micro_service_watcher.go). */
const CANCELLED_SUFFIX = 'data path is canceled';

export function findStockPod(item: MoveObject, label: string, { pods }: MoveSite): Pod | undefined {
  const pod = pods.get(keyOf(item));
  const isOwned = pod?.metadata.ownerReferences?.some(({ uid }) => uid === item.metadata.uid);
  return isOwned && pod?.metadata.labels?.[label] !== undefined ? pod : undefined;
}

/** An end counts although the pod is being deleted: stock deletes it before it reports. */
export function stockPodState(pod: Pod | undefined): StockPodState {
  if (pod === undefined) return 'none';
  const phase = pod.status?.phase;
  if (phase === 'Succeeded') return stockResultOf(pod) === undefined ? 'failed' : 'completed';
  if (phase === 'Failed') {
    return stockMessageOf(pod).trimEnd().endsWith(CANCELLED_SUFFIX) ? 'cancelled' : 'failed';
  }
  return pod.metadata.deletionTimestamp === undefined ? 'running' : 'leaving';
}

/** Empty when it left none. */
export function stockMessageOf(pod: Pod): string {
  return pod.status?.containerStatuses?.[0]?.state?.terminated?.message ?? '';
}

export function stockResultOf(pod: Pod): StockResult | undefined {
  try {
    const result: unknown = JSON.parse(stockMessageOf(pod));
    // Every field of the type is optional, and what has another type than it should is refused by
    // the API server when it is written.
    return typeof result === 'object' && result !== null ? result : undefined;
  } catch {
    // Free text, or cut off by the kubelet at 4096 bytes: no result.
    return undefined;
  }
}
