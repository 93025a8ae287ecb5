// Backups and restores as a user asks for them, and what becomes of them.

import { setTimeout as delay } from 'node:timers/promises';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { VELERO, type Installation } from './installation.ts';

const MOVE_MS_MAX = 600_000;
const LOOK_EVERY_MS = 20;
const ENDED = ['Completed', 'PartiallyFailed', 'Failed', 'FailedValidation', 'Canceled'];

export type Kind = 'backups' | 'restores' | 'podvolumebackups' | 'podvolumerestores';

export function pathOfMove(kind: Kind, name: string): string {
  return `${VELERO}/${kind}/${name}`;
}

export interface BackupOptions {
  readonly namespace: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Asks for it, as `velero backup create` does, and does not wait. */
export async function createBackup(
  { client }: Installation,
  name: string,
  { namespace, annotations = {} }: BackupOptions,
): Promise<void> {
  await client.create({
    apiVersion: 'velero.io/v1',
    kind: 'Backup',
    metadata: { name, namespace: 'velero', annotations },
    spec: { includedNamespaces: [namespace], storageLocation: 'default' },
  });
}

export async function createRestore(
  { client }: Installation,
  name: string,
  backupName: string,
): Promise<void> {
  await client.create({
    apiVersion: 'velero.io/v1',
    kind: 'Restore',
    metadata: { name, namespace: 'velero' },
    spec: { backupName, includedNamespaces: ['*'] },
  });
}

/** As whoever does not want it any more does it. */
export async function cancelMove(
  { client }: Installation,
  kind: 'podvolumebackups' | 'podvolumerestores',
  { metadata }: ApiObject,
): Promise<void> {
  await client.patch(pathOfMove(kind, metadata.name), { spec: { cancel: true } });
}

/** In the end, whatever it is. */
export function untilEnded(installation: Installation, path: string): Promise<ApiObject> {
  const options = { msMax: MOVE_MS_MAX, what: 'at an end' };
  return installation.client.until(path, hasEnded, options);
}

export function hasEnded({ status }: ApiObject): boolean {
  return ENDED.some(phase => phase === status?.phase);
}

/** The PodVolumeBackups or PodVolumeRestores of one Backup or Restore. */
export function volumeMoves(
  { client }: Installation,
  kind: 'backup' | 'restore',
  name: string,
): Promise<ApiObject[]> {
  const selector = `?labelSelector=velero.io/${kind}-name%3D${name}`;
  return client.list(`${VELERO}/podvolume${kind}s${selector}`);
}

export interface MovesOf {
  readonly kind: 'backup' | 'restore';
  /** Of the Backup or Restore. */
  readonly name: string;
}

/** As soon as the phases of all of them, in the order of the alphabet, are so. */
export async function untilPhases(
  installation: Installation,
  { kind, name }: MovesOf,
  areSo: (phases: readonly string[]) => boolean,
): Promise<void> {
  let found: string[] = [];
  for (const end = performance.now() + MOVE_MS_MAX; performance.now() < end;) {
    found = phases(await volumeMoves(installation, kind, name))
      .map(String)
      .toSorted();
    if (areSo(found)) return;
    await delay(LOOK_EVERY_MS);
  }
  throw new Error(`${kind} ${name} has moves in phases ${found.join()} after ${MOVE_MS_MAX} ms`);
}

/** All of them, as soon as there is one and `are` is true of all; looked at every 20 ms. */
export async function untilVolumeMoves(
  installation: Installation,
  { kind, name }: MovesOf,
  are: (move: ApiObject) => boolean,
): Promise<ApiObject[]> {
  for (const end = performance.now() + MOVE_MS_MAX; performance.now() < end;) {
    const moves = await volumeMoves(installation, kind, name);
    if (moves.length > 0 && moves.every(are)) return moves;
    await delay(LOOK_EVERY_MS);
  }
  const moves = await volumeMoves(installation, kind, name);
  const seen = JSON.stringify(moves.map(({ status }) => status));
  throw new Error(`the volumes of ${kind} ${name} are not so after ${MOVE_MS_MAX} ms: ${seen}`);
}

export function isInProgress({ status }: ApiObject): boolean {
  return status?.phase === 'InProgress';
}

/** In the middle: some bytes are done, and not all. */
export function isUnderWay({ status }: ApiObject): boolean {
  // velero.io/v1, PodVolumeBackupStatus.
  const progress = status?.progress as { bytesDone?: number; totalBytes?: number } | undefined;
  return status?.phase === 'InProgress' && (progress?.bytesDone ?? 0) > 0;
}

export function phases(moves: readonly ApiObject[]): unknown[] {
  return moves.map(({ status }) => status?.phase);
}
