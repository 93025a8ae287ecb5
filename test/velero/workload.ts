// A namespace with something to back up: pods that do nothing, with a claim on a local volume,
// emptyDirs and a claim of their own. The tests look into the volumes where the kubelet mounts
// them.

import { join } from 'node:path';
import type { ApiClient, ApiObject } from '#test/cluster/api-client.ts';
import { PAUSE_IMAGE } from '#test/cluster/node-settings.ts';
import { makeLocalVolume, VOLUME_SIZE } from './local-volume.ts';

const POD_MS_MAX = 120_000;
const GONE_MS_MAX = 120_000;
/** Beneath, by namespace, what a claim may be bound to; it stays when the claim has gone. */
export const LOCAL_VOLUMES = '/var/lib/volumes';
const KUBELET_PODS = '/var/lib/kubelet/pods';

/**
 * `data`: of the claim that all pods have. `own`: generic ephemeral, with a claim that is made for
 * the pod. The others are emptyDirs, `memory` one in memory.
 */
export type VolumeName = 'data' | 'scratch' | 'memory' | 'own';
/** As a server finds them that is told of none. */
const USUAL: readonly VolumeName[] = ['data', 'scratch'];

export interface WorkloadOptions {
  readonly namespace: string;
  /** All of them have the claim; by default one, `web`. */
  readonly pods?: readonly string[];
  /** What Velero shall back up; by default both. */
  readonly volumes?: readonly VolumeName[];
  /** Times that a claim is bound to a volume that nobody has had; by default once restored. */
  readonly claims?: number;
  /** Of its volumes; by default of the namespace's name. Nobody else has had it. */
  readonly storageClass?: string;
  /** Storage class of one more volume. */
  readonly otherClass?: string;
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

  /** One that somebody else has made: a restore. */
  static of(client: ApiClient, namespace: string, pods: readonly string[]): Workload {
    return new Workload(client, namespace, pods);
  }

  /** Resolves when the pods run. */
  static async start(client: ApiClient, options: WorkloadOptions): Promise<Workload> {
    const { namespace, pods = ['web'], volumes = USUAL, claims = 2 } = options;
    const { storageClass: ownClass = namespace } = options;
    const place = (name: string): string => join(LOCAL_VOLUMES, ownClass, name);
    for (let number = 1; number <= claims; number++) {
      const name = `${ownClass}-${number}`;
      await makeLocalVolume(client, { name, storageClass: ownClass, path: place(`${number}`) });
    }
    const { otherClass } = options;
    if (otherClass !== undefined) {
      const path = place('other');
      await makeLocalVolume(client, { name: otherClass, storageClass: otherClass, path });
    }
    for (const name of [ownClass, otherClass ?? ownClass]) await client.apply(storageClass(name));
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await client.apply(claim(namespace, ownClass));
    for (const name of pods) await client.apply(pod({ namespace, name, volumes, ownClass }));
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
    if (volume === 'scratch' || volume === 'memory') {
      return join(volumes, 'kubernetes.io~empty-dir', volume);
    }
    const { spec } = await this.claim(volume === 'data' ? volume : `${podName}-${volume}`);
    return join(volumes, 'kubernetes.io~local-volume', String(spec?.volumeName));
  }

  /** That is there now. */
  claim(name: string): Promise<ApiObject> {
    const claims = `/api/v1/namespaces/${this.namespace}/persistentvolumeclaims`;
    return this.#client.get(`${claims}/${name}`);
  }

  /**
   * With the namespace; resolves when it is gone. Pods and claims first: what has a finalizer when
   * a namespace is deleted, as a claim has that a pod uses, is looked for again after eight
   * seconds (Kubernetes pkg/controller/namespace/deletion, finalizerEstimateSeconds).
   */
  async delete(): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}`;
    for (const kind of ['pods', 'persistentvolumeclaims']) {
      await this.#client.delete(`${path}/${kind}`);
      await this.#client.untilNone(`${path}/${kind}`, GONE_MS_MAX);
    }
    await this.#client.delete(path);
    await this.#client.untilGone(path, GONE_MS_MAX);
  }

  #path(pod: string): string {
    return `/api/v1/namespaces/${this.namespace}/pods/${pod}`;
  }
}

function storageClass(name: string): ApiObject & { readonly provisioner: string } {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'kubernetes.io/no-provisioner',
  };
}

function claimSpec(storageClassName: string) {
  return {
    accessModes: ['ReadWriteOnce'],
    storageClassName,
    resources: { requests: { storage: VOLUME_SIZE } },
  };
}

function claim(namespace: string, storageClassName: string): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace },
    spec: claimSpec(storageClassName),
  };
}

interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  readonly volumes: readonly VolumeName[];
  readonly ownClass: string;
}

function pod({ namespace, name, volumes, ownClass }: PodOptions): ApiObject {
  const annotations = { 'backup.velero.io/backup-volumes': volumes.join(',') };
  const names = [...new Set([...USUAL, ...volumes])];
  const mounts = names.map(name => ({ name, mountPath: `/${name}` }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name }, annotations },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'pause', image: PAUSE_IMAGE, volumeMounts: mounts }],
      volumes: names.map(name => ({ name, ...volumeSource(name, ownClass) })),
    },
  };
}

function volumeSource(name: VolumeName, ownClass: string): object {
  switch (name) {
    case 'data':
      return { persistentVolumeClaim: { claimName: 'data' } };
    case 'scratch':
      return { emptyDir: {} };
    case 'memory':
      return { emptyDir: { medium: 'Memory' } };
    case 'own':
      return { ephemeral: { volumeClaimTemplate: { metadata: OWN, spec: claimSpec(ownClass) } } };
  }
}

/**
 * A claim that is restored belongs to no pod, and Kubernetes gives a pod no claim of its name that
 * is not its own (pkg/controller/volume/ephemeral): it is made anew.
 */
const OWN = { labels: { 'velero.io/exclude-from-backup': 'true' } };
