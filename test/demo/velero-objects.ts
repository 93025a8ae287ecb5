// What a Velero server of 1.18 and the cluster around it write for one pod with one volume; the
// demo plays their part.

import type { SeedObject } from '#test/kube-emulator/kube-emulator.ts';

export const NODE = 'worker-1';
export const NAMESPACE = 'shop';
export const VOLUME = 'data';
const LOCATION = 'default';
const ACCOUNT = 'web';

export interface Names {
  /** The namespace of Velero. */
  readonly velero: string;
  /** The namespace of the pod. */
  readonly shop: string;
  readonly node: string;
}

const USUAL: Names = Object.freeze({ velero: 'velero', shop: NAMESPACE, node: NODE });

export interface PodIdentity {
  readonly name: string;
  readonly uid: string;
}

/** Before the first backup: a place for data, a password, a repository that is ready. */
export function surroundings(
  directory: string,
  password: string,
  { velero, shop }: Names = USUAL,
): SeedObject[] {
  const repository = `${shop}-${LOCATION}-kopia`;
  return [
    {
      kind: 'Secret',
      metadata: { name: 'velero-repo-credentials', namespace: velero },
      data: { 'repository-password': Buffer.from(password).toString('base64') },
    },
    {
      kind: 'BackupStorageLocation',
      metadata: { name: LOCATION, namespace: velero },
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
        namespace: velero,
        labels: {
          'velero.io/volume-namespace': shop,
          'velero.io/storage-location': LOCATION,
          'velero.io/repository-type': 'kopia',
        },
      },
      spec: {
        volumeNamespace: shop,
        backupStorageLocation: LOCATION,
        repositoryType: 'kopia',
        maintenanceFrequency: '1h0m0s',
        resticIdentifier: '',
      },
      status: { phase: 'Ready' },
    },
  ];
}

/** What a user asks for, or a server for a user; the moves are its own. */
export function order(kind: 'Backup' | 'Restore', name: string, { velero }: Names): SeedObject {
  const spec = kind === 'Backup' ? {} : { backupName: 'daily' };
  return { kind, metadata: { name, namespace: velero }, spec };
}

/** The account of pods; an API server takes none without. */
export function account({ shop }: Names): SeedObject {
  return { kind: 'ServiceAccount', metadata: { name: ACCOUNT, namespace: shop } };
}

/**
 * With `waiting` the pod of a restore, whose first container waits for the volume, or has done so.
 */
export function pod(
  name: string,
  {
    waiting,
    names = USUAL,
  }: { readonly waiting?: 'running' | 'done'; readonly names?: Names } = {},
): SeedObject {
  const state = waiting === 'done' ? { terminated: { exitCode: 0 } } : { running: {} };
  const wait = { name: 'restore-wait', image: 'velero', command: ['/velero-restore-helper'] };
  return {
    kind: 'Pod',
    metadata: {
      name,
      namespace: names.shop,
      annotations: { 'backup.velero.io/backup-volumes': VOLUME },
    },
    spec: {
      nodeName: names.node,
      serviceAccountName: ACCOUNT,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
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

const mover = { backupStorageLocation: LOCATION, repoIdentifier: '', uploaderType: 'kopia' };

export function podVolumeBackup(
  name: string,
  owner: PodIdentity,
  backed: PodIdentity,
  { velero, shop, node }: Names = USUAL,
): SeedObject {
  return {
    kind: 'PodVolumeBackup',
    metadata: {
      name,
      namespace: velero,
      labels: { 'velero.io/backup-name': owner.name, 'velero.io/backup-uid': owner.uid },
      ownerReferences: [ownerReference('Backup', owner)],
    },
    spec: {
      ...mover,
      node,
      pod: { kind: 'Pod', namespace: shop, ...backed },
      volume: VOLUME,
      tags: {
        backup: owner.name,
        'backup-uid': owner.uid,
        pod: backed.name,
        'pod-uid': backed.uid,
        ns: shop,
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
  { velero, shop }: Names = USUAL,
): SeedObject {
  return {
    kind: 'PodVolumeRestore',
    metadata: {
      name,
      namespace: velero,
      labels: {
        'velero.io/restore-name': owner.name,
        'velero.io/restore-uid': owner.uid,
        'velero.io/pod-uid': restored.uid,
      },
      ownerReferences: [ownerReference('Restore', owner)],
    },
    spec: {
      ...mover,
      pod: { kind: 'Pod', namespace: shop, ...restored },
      volume: VOLUME,
      snapshotID: snapshotId,
      sourceNamespace: shop,
    },
    status: {},
  };
}

function ownerReference(kind: string, { name, uid }: PodIdentity) {
  return { apiVersion: 'velero.io/v1', kind, name, uid, controller: true };
}
