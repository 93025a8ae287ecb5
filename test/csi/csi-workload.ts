// A namespace whose pods have volumes of the test's driver, a pod for each claim and of its name,
// and snapshots of them. The tests look into the volumes where the kubelet has them.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient, ApiObject } from '#test/cluster/api-client.ts';
import { clusterProgram } from '#test/cluster/cluster-programs.ts';
import { importImage, packRoot } from '#test/cluster/image.ts';
import { CONTAINERD_SOCKET, PAUSE_IMAGE } from '#test/cluster/node-settings.ts';
import { SNAPSHOT_CLASS, STORAGE_CLASS } from './csi.ts';
import type { VolumeMode } from './driver/volume-store.ts';

const READY_MS_MAX = 180_000;
const GONE_MS_MAX = 120_000;
const KUBELET_PODS = '/var/lib/kubelet/pods';
const WRITER_IMAGE = 'test.local/volume-writer:1';
const SNAPSHOT_API = 'snapshot.storage.k8s.io/v1';

export interface CsiClaim {
  readonly name: string;
  readonly mode: VolumeMode;
  /** As Kubernetes has quantities. */
  readonly size: string;
  /** Name of a snapshot that it is made from. */
  readonly from?: string;
  /** Labels of the one volume that will do. */
  readonly selector?: Readonly<Record<string, string>>;
  /** So many bytes are written by its pod (volume-writer/main.go): into a file, or at the start. */
  readonly written?: number;
}

/** File that a pod writes into a tree. */
export const WRITTEN_FILE = 'written';

export async function importWriter(): Promise<void> {
  const root = await packRoot({ 'volume-writer': clusterProgram('volume-writer') });
  const image = { name: WRITER_IMAGE, root, entrypoint: ['/volume-writer'] };
  await importImage(image, CONTAINERD_SOCKET);
}

export class CsiWorkload {
  readonly namespace: string;
  readonly #client: ApiClient;
  readonly #place: string;
  readonly #snapshots: string;

  constructor(client: ApiClient, namespace: string) {
    this.namespace = namespace;
    this.#client = client;
    this.#place = `/api/v1/namespaces/${namespace}`;
    this.#snapshots = `/apis/${SNAPSHOT_API}/namespaces/${namespace}/volumesnapshots`;
  }

  /** Resolves when the pods run, and have written. */
  async start(claims: readonly CsiClaim[]): Promise<void> {
    await this.begin(claims);
    await this.untilRunning(claims);
  }

  /** Does not wait for anything. */
  async begin(claims: readonly CsiClaim[]): Promise<void> {
    const { namespace } = this;
    await this.#client.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
    for (const claim of claims) {
      await this.#client.apply(claimObject(namespace, claim));
      await this.#client.apply(podObject(namespace, claim));
    }
  }

  async untilRunning(claims: readonly CsiClaim[]): Promise<void> {
    const isRunning = ({ status }: ApiObject): boolean => status?.phase === 'Running';
    for (const { name } of claims) {
      const options = { msMax: READY_MS_MAX, what: 'Running' };
      await this.#client.until(`${this.#place}/pods/${name}`, isRunning, options);
    }
  }

  /** Where the kubelet has the volume of a pod that runs now: a directory, or a device. */
  async volumePath({ name, mode }: CsiClaim): Promise<string> {
    const { metadata } = await this.#client.get(`${this.#place}/pods/${name}`);
    const { spec } = await this.#client.get(`${this.#place}/persistentvolumeclaims/${name}`);
    const pod = join(KUBELET_PODS, metadata.uid ?? '');
    const volume = String(spec?.volumeName);
    return mode === 'Filesystem'
      ? join(pod, 'volumes/kubernetes.io~csi', volume, 'mount')
      : realpath(join(pod, 'volumeDevices/kubernetes.io~csi', volume));
  }

  /** Of a claim, with its name. Resolves when it can be used. */
  async snapshot(claim: string): Promise<void> {
    const { namespace } = this;
    await this.#client.apply({
      apiVersion: SNAPSHOT_API,
      kind: 'VolumeSnapshot',
      metadata: { name: claim, namespace },
      spec: {
        volumeSnapshotClassName: SNAPSHOT_CLASS,
        source: { persistentVolumeClaimName: claim },
      },
    });
    const isReady = ({ status }: ApiObject): boolean => status?.readyToUse === true;
    const options = { msMax: READY_MS_MAX, what: 'ready' };
    await this.#client.until(`${this.#snapshots}/${claim}`, isReady, options);
  }

  /** Everything; resolves when nothing of it is left, the volumes that claims had included. */
  async delete(): Promise<void> {
    const { namespace } = this;
    const claims = `${this.#place}/persistentvolumeclaims`;
    for (const path of [`${this.#place}/pods`, this.#snapshots, claims]) {
      await this.#client.delete(path);
      await this.#client.untilNone(path, GONE_MS_MAX);
    }
    await this.#client.delete(this.#place);
    await this.#client.untilGone(`/api/v1/namespaces/${namespace}`, GONE_MS_MAX);
    await this.#client.untilNone('/api/v1/persistentvolumes', GONE_MS_MAX);
    await this.#client.untilNone(`/apis/${SNAPSHOT_API}/volumesnapshotcontents`, GONE_MS_MAX);
  }
}

/** Of a file or a device. */
export async function sha256OfBytes(path: string, end?: number): Promise<string> {
  const hash = createHash('sha256');
  const range = end === undefined ? {} : { end: end - 1 };
  for await (const piece of createReadStream(path, range)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}

/** What volume-writer writes. */
export function writtenBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at + 4 <= count; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

function claimObject(namespace: string, claim: CsiClaim): ApiObject {
  const { name, mode, size, from, selector } = claim;
  const [apiGroup] = SNAPSHOT_API.split('/');
  const dataSource = { apiGroup, kind: 'VolumeSnapshot', name: from };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: STORAGE_CLASS,
      volumeMode: mode,
      resources: { requests: { storage: size } },
      ...(from === undefined ? {} : { dataSource }),
      ...(selector === undefined ? {} : { selector: { matchLabels: selector } }),
    },
  };
}

function podObject(namespace: string, { name, mode, written }: CsiClaim): ApiObject {
  const isTree = mode === 'Filesystem';
  const path = isTree ? '/volume' : '/dev/volume';
  const use = isTree
    ? { volumeMounts: [{ name: 'volume', mountPath: path }] }
    : { volumeDevices: [{ name: 'volume', devicePath: path }] };
  const file = isTree ? `${path}/${WRITTEN_FILE}` : path;
  const writer = { name: 'writer', image: WRITER_IMAGE, args: [file, String(written)], ...use };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      ...(written === undefined ? {} : { initContainers: [writer] }),
      containers: [{ name: 'pause', image: PAUSE_IMAGE, ...use }],
      volumes: [{ name: 'volume', persistentVolumeClaim: { claimName: name } }],
    },
  };
}
