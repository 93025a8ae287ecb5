// A namespace for what is made to expose volumes, as Velero's.

import { CONFIG_MAPS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import type { ApiClient } from '#test/cluster/api-client.ts';

/** The restricted Pod Security Standard is enforced there. */
export const MOVERS = 'movers';

/** @returns who owns what is made */
export async function makeMovers(api: ApiClient, client: KubeClient, name = 'owner') {
  await api.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: MOVERS, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  // In place of a DataUpload: something that lives.
  const made = await client.create<KubeObject>(CONFIG_MAPS, {
    metadata: { name, namespace: MOVERS },
  });
  const { uid = '' } = made.metadata;
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid, controller: true };
}
