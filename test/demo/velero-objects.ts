// What a Velero server of 1.18 and the cluster around it write for one pod with one volume; the
// demo plays their part.

import type { SeedObject } from '#test/kube-emulator/kube-emulator.ts';

export const NODE = 'worker-1';
export const NAMESPACE = 'shop';
export const VOLUME = 'data';
const VELERO = 'velero';
const LOCATION = 'default';

export interface PodIdentity {
  readonly name: string;
  readonly uid: string;
}

/** Before the first backup: a node, a place for data, a password, a repository that is ready. */
export function surroundings(directory: string, password: string): SeedObject[] {
  const repository = `${NAMESPACE}-${LOCATION}-kopia`;
  return [
    { kind: 'Node', metadata: { name: NODE } },
    {
      kind: 'Secret',
      metadata: { name: 'velero-repo-credentials', namespace: VELERO },
      data: { 'repository-password': Buffer.from(password).toString('base64') },
    },
    {
      kind: 'BackupStorageLocation',
      metadata: { name: LOCATION, namespace: VELERO },
      spec: {
        provider: 'velero.io/fs',
        config: { fspath: directory },
        objectStorage: { bucket: 'demo' },
      },
      status: { phase: 'Available' },
    },
    {
      kind: 'BackupRepository',
      metadata: {
        name: repository,
        namespace: VELERO,
        labels: {
          'velero.io/volume-namespace': NAMESPACE,
          'velero.io/storage-location': LOCATION,
          'velero.io/repository-type': 'kopia',
        },
      },
      spec: {
        volumeNamespace: NAMESPACE,
        backupStorageLocation: LOCATION,
        repositoryType: 'kopia',
        maintenanceFrequency: '1h0m0s',
        resticIdentifier: '',
      },
      status: { phase: 'Ready' },
    },
  ];
}

/**
 * With `waiting` the pod of a restore, whose first container waits for the volume, or has done so.
 */
export function pod(
  name: string,
  { waiting }: { readonly waiting?: 'running' | 'done' } = {},
): SeedObject {
  const state = waiting === 'done' ? { terminated: { exitCode: 0 } } : { running: {} };
  const wait = { name: 'restore-wait', image: 'velero', command: ['/velero-restore-helper'] };
  return {
    kind: 'Pod',
    metadata: {
      name,
      namespace: NAMESPACE,
      annotations: { 'backup.velero.io/backup-volumes': VOLUME },
    },
    spec: {
      nodeName: NODE,
      ...(waiting === undefined ? {} : { initContainers: [wait] }),
      containers: [{ name: 'web', image: 'web' }],
      volumes: [{ name: VOLUME, emptyDir: {} }],
    },
    status: {
      phase: waiting === 'running' ? 'Pending' : 'Running',
      ...(waiting === undefined ? {} : { initContainerStatuses: [{ name: wait.name, state }] }),
    },
  };
}

const order = { backupStorageLocation: LOCATION, repoIdentifier: '', uploaderType: 'kopia' };

export function podVolumeBackup(name: string, owner: PodIdentity, backed: PodIdentity): SeedObject {
  return {
    kind: 'PodVolumeBackup',
    metadata: {
      name,
      namespace: VELERO,
      labels: { 'velero.io/backup-name': owner.name, 'velero.io/backup-uid': owner.uid },
      ownerReferences: [ownerReference('Backup', owner)],
    },
    spec: {
      ...order,
      node: NODE,
      pod: { kind: 'Pod', namespace: NAMESPACE, ...backed },
      volume: VOLUME,
      tags: {
        backup: owner.name,
        'backup-uid': owner.uid,
        pod: backed.name,
        'pod-uid': backed.uid,
        ns: NAMESPACE,
        volume: VOLUME,
      },
    },
    status: {},
  };
}

export function podVolumeRestore(
  name: string,
  owner: PodIdentity,
  { restored, snapshotId }: { readonly restored: PodIdentity; readonly snapshotId: string },
): SeedObject {
  return {
    kind: 'PodVolumeRestore',
    metadata: {
      name,
      namespace: VELERO,
      labels: {
        'velero.io/restore-name': owner.name,
        'velero.io/restore-uid': owner.uid,
        'velero.io/pod-uid': restored.uid,
      },
      ownerReferences: [ownerReference('Restore', owner)],
    },
    spec: {
      ...order,
      pod: { kind: 'Pod', namespace: NAMESPACE, ...restored },
      volume: VOLUME,
      snapshotID: snapshotId,
      sourceNamespace: NAMESPACE,
    },
    status: {},
  };
}

function ownerReference(kind: string, { name, uid }: PodIdentity) {
  return { apiVersion: 'velero.io/v1', kind, name, uid, controller: true };
}
