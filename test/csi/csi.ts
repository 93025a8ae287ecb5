// Storage with snapshots for a cluster of ours, as clusters have it: the driver of this folder, and
// the real snapshot controller, snapshotter and provisioner of Kubernetes CSI.

import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiClient, ApiObject } from '#test/cluster/api-client.ts';
import { ChildProgram } from '#test/cluster/child-program.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { clusterProgram, isMissing } from '#test/cluster/cluster-programs.ts';
import { NODE_NAME } from '#test/cluster/node-settings.ts';
import { DRIVER_NAME, startDriver } from './driver/driver.ts';
import type { VolumeStore } from './driver/volume-store.ts';

const READY_MS_MAX = 60_000;
const PROGRAMS = ['snapshot-controller', 'csi-snapshotter', 'csi-provisioner', 'volume-writer'];
const FILES = ['snapshot-crds', 'csi-protocols'];
const ELSEWHERE = ['losetup', 'blockdev', 'mountpoint'];

/** Volumes come into being where the first pod that wants them is. */
export const STORAGE_CLASS = 'csi-test';
export const SNAPSHOT_CLASS = 'csi-test-snapshots';

export interface Csi extends AsyncDisposable {
  /** What the driver has, to look at. */
  readonly store: VolumeStore;
}

/** Why there can be none here; false where there can. */
export function csiIsMissing(): string | false {
  if (isMissing(...PROGRAMS, ...FILES)) return 'no programs of CSI: run test/csi/build.sh';
  const missing = isMissing(...ELSEWHERE);
  if (missing) return missing;
  const { status, stderr } = spawnSync('losetup', ['--find'], { encoding: 'utf8' });
  return status !== 0 && `no loop devices can be had here: ${stderr.trim()}`;
}

/** Resolves when the node has the driver, and everything else has been started. */
export async function startCsi({ plane, logs }: Cluster): Promise<Csi> {
  const { client, kubeconfig } = plane;
  await applyDefinitions(client);
  const stack = new AsyncDisposableStack();
  const driver = stack.use(await startDriver(join(tmpdir(), 'csi')));
  for (const object of objects()) await client.apply(object);
  const words = [`--kubeconfig=${kubeconfig}`, '--leader-election=false', '--v=5'];
  const start = (name: string, ...more: string[]): void => {
    const program = new ChildProgram(clusterProgram(name), [...words, ...more], { logs });
    stack.defer(() => program.stop());
  };
  start('snapshot-controller');
  const sidecar = [`--csi-address=${driver.socket}`, '--extra-create-metadata'];
  start('csi-snapshotter', ...sidecar);
  // By which a snapshot is let go whose claim went before it had a volume; else five minutes.
  const often = '--snapshot-orphan-sweep-interval=2s';
  start('csi-provisioner', ...sidecar, '--strict-topology', often);
  const node = `/apis/storage.k8s.io/v1/csinodes/${NODE_NAME}`;
  await client.until(node, hasDriver, { msMax: READY_MS_MAX, what: `with ${DRIVER_NAME}` });
  return { store: driver.store, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Those of groups as well: the controller waits half a minute for them where there are none. */
async function applyDefinitions(client: ApiClient): Promise<void> {
  const directory = clusterProgram('snapshot-crds');
  for (const file of await readdir(directory)) {
    // snapshot.storage.k8s.io_volumesnapshots.yaml
    const [group = '', plural = ''] = file.replace(/\.yaml$/, '').split('_');
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`;
    await client.applyText(path, await readFile(join(directory, file), 'utf8'));
    await client.until(path, isEstablished, { msMax: READY_MS_MAX, what: 'established' });
  }
}

function objects(): readonly ApiObject[] {
  const driver = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: DRIVER_NAME },
    // Volumes are where they are: nobody has to attach them.
    spec: { attachRequired: false, podInfoOnMount: false, fsGroupPolicy: 'None' },
  };
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: STORAGE_CLASS },
    provisioner: DRIVER_NAME,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  // By which Velero finds the class of a driver (1.18.1 pkg/util/csi/volume_snapshot.go).
  const labels = { 'velero.io/csi-volumesnapshot-class': 'true' };
  const snapshotClass = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata: { name: SNAPSHOT_CLASS, labels },
    driver: DRIVER_NAME,
    deletionPolicy: 'Delete',
  };
  return [driver, storageClass, snapshotClass];
}

function hasDriver({ spec }: ApiObject): boolean {
  // storage.k8s.io/v1, CSINodeSpec.
  const drivers = (spec?.drivers ?? []) as readonly { name: string }[];
  return drivers.some(({ name }) => name === DRIVER_NAME);
}

function isEstablished({ status }: ApiObject): boolean {
  // apiextensions.k8s.io/v1, CustomResourceDefinitionStatus.
  const conditions = (status?.conditions ?? []) as readonly { type: string; status: string }[];
  return conditions.some(({ type, status: is }) => type === 'Established' && is === 'True');
}
