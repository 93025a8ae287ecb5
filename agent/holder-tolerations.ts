// Tolerations that pods which hold volumes take over from the DaemonSet of the agent, as stock's
// movers do (Velero 1.18.1 pkg/util/third_party.go ThirdPartyTolerations): nodes that have nothing
// but such a taint are nodes of the user's, and their volumes may be nowhere else.

import { isEngineError } from '#engine/base/errors.ts';
import { DAEMON_SETS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, ObjectName } from '#kube/kube-object.ts';

const TAKEN_OVER: ReadonlySet<string> = new Set([
  'kubernetes.azure.com/scalesetpriority',
  'CriticalAddonsOnly',
]);

interface DaemonSet extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: { readonly tolerations?: readonly { readonly key?: string }[] };
    };
  };
}

/** None where it cannot be read. @throws KUBE_UNAVAILABLE, ABORTED */
export async function holderTolerations(
  client: Pick<KubeClient, 'get'>,
  daemonSet: ObjectName,
  signal?: AbortSignal,
): Promise<readonly object[]> {
  try {
    const { spec } = await client.get<DaemonSet>(DAEMON_SETS, daemonSet, { signal });
    const { tolerations = [] } = spec?.template?.spec ?? {};
    return tolerations.filter(({ key = '' }) => TAKEN_OVER.has(key));
  } catch (error) {
    if (isEngineError(error, 'KUBE_NOT_FOUND', 'KUBE_FORBIDDEN')) return [];
    throw error;
  }
}
