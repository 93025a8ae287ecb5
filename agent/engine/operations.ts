// What can be done with an open repository where the function that does it wants only parts of it.

import {
  checkContents,
  type CheckOptions,
  type CheckOutcome,
  type CheckRequest,
} from '#engine/content/check.ts';
import type { SnapshotManifest } from '#engine/format/snapshot-manifest.ts';
import type { CallOptions } from '#engine/manifest/manifest-store.ts';
import {
  backup as backupParts,
  type BackupOptions,
  type BackupOutcome,
  type BackupRequest,
} from '#engine/snapshot/backup.ts';
import { restorePartsOf } from './restore-parts.ts';
import {
  planRestore as planRestoreOf,
  restore as restoreOf,
  type RestoreOptions,
  type RestoreOutcome,
  type RestorePlan,
  type RestoreRequest,
} from '#engine/snapshot/restore/restore.ts';
import {
  type DeviceRestoreRequest,
  restoreDevice as restoreDeviceOf,
} from '#engine/snapshot/restore/restore-device.ts';
import {
  explain as explainPath,
  type Explanation,
  type ExplainRequest,
} from '#engine/snapshot/explain.ts';
import {
  forgetSnapshots as forgetManifests,
  listSnapshots as listManifests,
  resolveSnapshot as resolveManifest,
  type SnapshotFilter,
  type SnapshotSummary,
} from '#engine/snapshot/snapshots.ts';
import { surveyBackup as surveyParts, type SurveyOutcome } from '#engine/snapshot/survey.ts';
import {
  verify as verifyStored,
  type VerifyOptions,
  type VerifyOutcome,
  type VerifyRequest,
} from '#engine/snapshot/verify.ts';
import type { Repository } from './repository.ts';

/** See snapshot/backup.ts. @throws REPOSITORY_WRITE_UNSUPPORTED besides */
export function backup(
  { parts, manifests }: Repository,
  request: BackupRequest,
  options?: BackupOptions,
): Promise<BackupOutcome> {
  return backupParts({ contents: parts, manifests }, request, options);
}

/** See snapshot/survey.ts. Nothing is written. */
export function surveyBackup(
  { parts, manifests }: Repository,
  request: BackupRequest,
  options?: BackupOptions,
): Promise<SurveyOutcome> {
  return surveyParts({ contents: parts, manifests }, request, options);
}

/** See snapshot/explain.ts. Nothing is written. */
export function explain(
  { manifests }: Repository,
  request: ExplainRequest,
  options?: CallOptions,
): Promise<Explanation> {
  return explainPath(manifests, request, options);
}

/** See snapshot/restore/restore.ts. */
export function restore(
  repository: Repository,
  request: RestoreRequest,
  options?: RestoreOptions,
): Promise<RestoreOutcome> {
  return restoreOf(restorePartsOf(repository), request, options);
}

/** See snapshot/restore/restore-device.ts. */
export function restoreDevice(
  { parts, manifests }: Repository,
  request: DeviceRestoreRequest,
  options?: RestoreOptions,
): Promise<RestoreOutcome> {
  const { reader: contents, pool: runner, memory, isNativeAllowed, storage } = parts;
  const localPath = storage.localPath?.bind(storage);
  const all = { contents, manifests, runner, localPath, memory, isNativeAllowed };
  return restoreDeviceOf(all, request, options);
}

/** See snapshot/restore/restore.ts. */
export function planRestore(
  repository: Repository,
  request: RestoreRequest,
  options?: RestoreOptions,
): Promise<RestorePlan> {
  return planRestoreOf(restorePartsOf(repository), request, options);
}

/** Snapshots by time, the oldest first. Those that cannot be read are listed with a problem. */
export function listSnapshots(
  { manifests }: Repository,
  filter?: SnapshotFilter,
  options?: CallOptions,
): Promise<SnapshotSummary[]> {
  return listManifests(manifests, filter, options);
}

/** The snapshot that `latest`, an id or the beginning of one means. */
export function resolveSnapshot(
  { manifests }: Repository,
  reference: string,
  filter?: SnapshotFilter,
  options?: CallOptions,
): Promise<SnapshotManifest> {
  return resolveManifest(manifests, reference, filter, options);
}

/**
 * Removes snapshots; durable on return. Their data goes with maintenance, later.
 * @returns their ids
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS, REPOSITORY_WRITE_UNSUPPORTED
 */
export async function forgetSnapshots(
  repository: Repository,
  references: readonly string[],
  options: CallOptions = {},
): Promise<string[]> {
  const { writing } = repository.parts;
  return await writing.attempt(options.signal, async () => {
    const ids = await forgetManifests(repository.manifests, references, options);
    // Without the signal: whoever flushes next would do what was cancelled.
    await writing.flush();
    return ids;
  });
}

/** See snapshot/verify.ts. What is in the storage is read, whatever a cache has of it. */
export function verify(
  { parts, manifests }: Repository,
  request: VerifyRequest,
  options?: VerifyOptions,
): Promise<VerifyOutcome> {
  const contents = parts.reader.behindCache();
  return verifyStored({ contents, manifests: manifests.readFrom(contents) }, request, options);
}

/**
 * See content/check.ts. As verify() does, it reads packs from the storage; the index is that which
 * was loaded, where there is a cache perhaps from there.
 */
export function checkRepository(
  { parts }: Repository,
  request: CheckRequest,
  options?: CheckOptions,
): Promise<CheckOutcome> {
  const { storage, index } = parts;
  const contents = parts.reader.behindCache();
  return checkContents({ storage, contents, indexBlobCount: index.blobIds.size }, request, options);
}
