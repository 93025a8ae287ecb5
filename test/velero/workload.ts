// A namespace with something to back up: pods that do nothing, a claim on a local volume and an
// emptyDir. The tests look into the volumes where the kubelet mounts them.

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient, ApiObject } from '#test/cluster/api-client.ts';
import { NODE_NAME, PAUSE_IMAGE } from '#test/cluster/node-settings.ts';

const POD_MS_MAX = 120_000;
const GONE_MS_MAX = 120_000;
/** Beneath, by namespace, what a claim may be bound to; it stays when the claim has gone. */
export const LOCAL_VOLUMES = '/var/lib/volumes';
const KUBELET_PODS = '/var/lib/kubelet/pods';

export type VolumeName = 'data' | 'scratch';

export interface WorkloadOptions {
  readonly namespace: string;
  /** All of them have the claim; by default one, `web`. */
  readonly pods?: readonly string[];
  /** What Velero shall back up; by default both. */
  readonly volumes?: readonly VolumeName[];
  /** Times that the claim is bound to a volume that nobody has had; by default once restored. */
  readonly claims?: number;
}

export class Workload {
  readonly namespace: string;
  readonly pods: readonly string[];
  readonly #client: ApiClient;

  private constructor(client: ApiClient, namespace: string, pods: readonly string[]) {
    this.#client = client;
    this.namespace = namespace;
    this.pods = pods;
  }

  /** Resolves when the pods run. */
  static async start(client: ApiClient, options: WorkloadOptions): Promise<Workload> {
    const { namespace, pods = ['web'], volumes = ['data', 'scratch'], claims = 2 } = options;
    const storageClass = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: namespace },
      provisioner: 'kubernetes.io/no-provisioner',
    };
    await client.apply(storageClass);
    for (let number = 1; number <= claims; number++) {
      await client.apply(await localVolume(namespace, number));
    }
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await client.apply(claim(namespace));
    for (const name of pods) await client.apply(pod(namespace, name, volumes));
    const workload = new Workload(client, namespace, pods);
    await workload.untilRunning();
    return workload;
  }

  async untilRunning(): Promise<void> {
    const isRunning = ({ status }: ApiObject): boolean => status?.phase === 'Running';
    for (const name of this.pods) {
      const path = this.#path(name);
      await this.#client.until(path, isRunning, { msMax: POD_MS_MAX, what: 'Running' });
    }
  }

  /** Where the kubelet has mounted a volume of a pod that runs now. */
  async volumePath(volume: VolumeName, podName = this.pods[0] ?? ''): Promise<string> {
    const { metadata } = await this.#client.get(this.#path(podName));
    const volumes = join(KUBELET_PODS, metadata.uid ?? '', 'volumes');
    if (volume === 'scratch') return join(volumes, 'kubernetes.io~empty-dir', volume);
    const local = join(volumes, 'kubernetes.io~local-volume');
    const [name = ''] = await readdir(local);
    return join(local, name);
  }

  /** With the namespace; resolves when it is gone. */
  async delete(): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}`;
    await this.#client.delete(path);
    await this.#client.untilGone(path, GONE_MS_MAX);
  }

  #path(pod: string): string {
    return `/api/v1/namespaces/${this.namespace}/pods/${pod}`;
  }
}

async function localVolume(namespace: string, number: number): Promise<ApiObject> {
  const path = join(LOCAL_VOLUMES, namespace, String(number));
  await mkdir(path, { recursive: true });
  const here = { key: 'kubernetes.io/hostname', operator: 'In', values: [NODE_NAME] };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${namespace}-${number}` },
    spec: {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: namespace,
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [here] }] } },
    },
  };
}

function claim(namespace: string): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: namespace,
      resources: { requests: { storage: '10Gi' } },
    },
  };
}

function pod(namespace: string, name: string, volumes: readonly VolumeName[]): ApiObject {
  const annotations = { 'backup.velero.io/backup-volumes': volumes.join(',') };
  const mounts = [
    { name: 'data', mountPath: '/data' },
    { name: 'scratch', mountPath: '/scratch' },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name }, annotations },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'pause', image: PAUSE_IMAGE, volumeMounts: mounts }],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'scratch', emptyDir: {} },
      ],
    },
  };
}
