// Volumes of the node's disk, to which claims of their class can be bound.

import { mkdir } from 'node:fs/promises';
import type { ApiClient } from '#test/cluster/api-client.ts';
import { NODE_NAME } from '#test/cluster/node-settings.ts';

/** Of what is not told its size. */
export const VOLUME_SIZE = '10Gi';

export interface LocalVolume {
  readonly name: string;
  readonly storageClass: string;
  /** Made where it is missing. */
  readonly path: string;
  /** Said, not kept to. */
  readonly size?: string;
}

export async function makeLocalVolume(
  client: ApiClient,
  { name, storageClass, path, size = VOLUME_SIZE }: LocalVolume,
): Promise<void> {
  await mkdir(path, { recursive: true });
  const here = { key: 'kubernetes.io/hostname', operator: 'In', values: [NODE_NAME] };
  await client.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: size },
      accessModes: ['ReadWriteOnce', 'ReadWriteMany'],
      storageClassName: storageClass,
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [here] }] } },
    },
  });
}
