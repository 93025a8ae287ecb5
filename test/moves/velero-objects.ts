// Objects as a Velero server makes them for moves (traces of 1.18.1), and pods that wait for
// theirs.

import { randomUUID } from 'node:crypto';
import type { Pod } from '#agent/moves/objects/pod.ts';
import type { PodVolumeBackup } from '#agent/moves/objects/pod-volume-backup.ts';
import type { PodVolumeRestore } from '#agent/moves/objects/pod-volume-restore.ts';

export const NAMESPACE = 'velero';
export const BACKUP_UID = '22222222-0000-4000-8000-000000000001';
export const RESTORE_UID = '77777777-0000-4000-8000-000000000001';
export const POD_UID = '66666666-0000-4000-8000-000000000001';
const CLAIM_UID = '44444444-0000-4000-8000-000000000001';

export interface BackupOptions {
  readonly name?: string;
  readonly node?: string;
  readonly backupUid?: string;
  readonly claim?: { readonly name: string; readonly uid: string };
  readonly finalizers?: readonly string[];
  /** Besides those of a server. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Partial<PodVolumeBackup['spec']>;
  readonly status?: PodVolumeBackup['status'];
}

let madeCount = 0;

export function newBackup(options: BackupOptions = {}): PodVolumeBackup {
  const { backupUid = BACKUP_UID, finalizers, node = 'worker-1' } = options;
  const { claim = { name: 'web-data', uid: CLAIM_UID } } = options;
  const pod = { kind: 'Pod', namespace: 'shop', name: 'web', uid: POD_UID };
  return {
    apiVersion: 'velero.io/v1',
    kind: 'PodVolumeBackup',
    metadata: {
      name: options.name ?? `b-${(madeCount += 1)}`,
      namespace: NAMESPACE,
      finalizers,
      labels: {
        'velero.io/backup-name': 'b',
        'velero.io/backup-uid': backupUid,
        'velero.io/pvc-uid': claim.uid,
        ...options.labels,
      },
      annotations: { 'velero.io/pvc-name': claim.name },
      ownerReferences: [
        { apiVersion: 'velero.io/v1', kind: 'Backup', name: 'b', uid: backupUid, controller: true },
      ],
    },
    spec: {
      node,
      pod,
      volume: 'data',
      backupStorageLocation: 'default',
      repoIdentifier: '',
      uploaderType: 'kopia',
      uploaderSettings: { ParallelFilesUpload: '8' },
      tags: { backup: 'b', 'backup-uid': backupUid, ns: 'shop', pod: 'web', volume: 'data' },
      ...options.spec,
    },
    status: { progress: {}, ...options.status },
  };
}

export interface RestoreOptions {
  readonly name?: string;
  readonly spec?: Partial<PodVolumeRestore['spec']>;
  readonly status?: PodVolumeRestore['status'];
  readonly hasOwner?: boolean;
}

export function newRestore(options: RestoreOptions = {}): PodVolumeRestore {
  const restore = { apiVersion: 'velero.io/v1', kind: 'Restore', name: 'r', uid: RESTORE_UID };
  return {
    apiVersion: 'velero.io/v1',
    kind: 'PodVolumeRestore',
    metadata: {
      name: options.name ?? `r-${(madeCount += 1)}`,
      namespace: NAMESPACE,
      labels: { 'velero.io/restore-uid': RESTORE_UID, 'velero.io/pod-uid': POD_UID },
      ownerReferences: options.hasOwner === false ? [] : [{ ...restore, controller: true }],
    },
    spec: {
      pod: { kind: 'Pod', namespace: 'shop', name: 'web', uid: POD_UID },
      volume: 'data',
      backupStorageLocation: 'default',
      repoIdentifier: '',
      uploaderType: 'kopia',
      snapshotID: '3f2a9c0d5be14d6f8a7b6c5d4e3f2a1b',
      sourceNamespace: 'shop-before',
      uploaderSettings: { WriteSparseFiles: 'false' },
      ...options.spec,
    },
    status: { progress: {}, ...options.status },
  };
}

/** `restore-wait` is the second init container, as where a service mesh has put its own first. */
export function waitingPod(isWaiting = true): Pod {
  const running = { running: { startedAt: '2026-06-02T09:00:20Z' } };
  return {
    metadata: { name: 'web', namespace: 'shop', uid: POD_UID },
    spec: { nodeName: 'worker-1' },
    status: {
      phase: 'Pending',
      initContainerStatuses: [
        { name: 'mesh', state: { terminated: { exitCode: 0 } } },
        { name: 'restore-wait', state: isWaiting ? running : { waiting: {} } },
      ],
    },
  };
}

/** What a stock agent of 1.17 and later makes for a move. */
export function stockMoverPod(
  move: { readonly name: string; readonly uid: string; readonly kind: string },
  status: NonNullable<Pod['status']>,
): Pod {
  const isBackup = move.kind === 'PodVolumeBackup';
  const label = isBackup ? 'velero.io/pod-volume-backup' : 'velero.io/pod-volume-restore';
  const owner = { apiVersion: 'velero.io/v1', ...move, controller: true };
  return {
    metadata: {
      name: move.name,
      namespace: NAMESPACE,
      uid: randomUUID(),
      labels: { [label]: move.name },
      ownerReferences: [owner],
    },
    spec: { nodeName: 'worker-1' },
    status,
  };
}

export function endedStatus(phase: 'Succeeded' | 'Failed', message: string) {
  const exitCode = phase === 'Succeeded' ? 0 : 1;
  return {
    phase,
    containerStatuses: [{ name: 'mover', state: { terminated: { exitCode, message } } }],
  };
}
