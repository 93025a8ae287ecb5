// One volume into its repository: what is in it, all of it, under the names that Velero gives it.

import { EngineError } from '#engine/base/errors.ts';
import {
  backup,
  type BackupOutcome,
  type BackupRequest,
  listSnapshots,
  listTree,
  type Repository,
  resolveSnapshot,
  type StoredTree,
  surveyBackup,
} from '#engine/index.ts';
import type {
  BackupOrder,
  BackupResult,
  MoveOptions,
  PodVolume,
  PreCopyResult,
} from '#agent/moves/volume-mover.ts';
import type { VolumePlace } from '#agent/volumes/locate-volume.ts';
import { requireDevice } from './device-volume.ts';
import { ProgressMeter } from './move-progress.ts';
import { skippedLines } from './result-text.ts';
import { veleroNames } from './velero-source.ts';

export interface VolumeMoveOptions extends MoveOptions {
  /** Rejects when the volume is another one than it was at the beginning. */
  readonly isStillThere: () => Promise<void>;
}

/**
 * @throws what backup() throws; SOURCE_UNREADABLE when no file could be read; SNAPSHOT_NOT_FOUND
 *   when what was published cannot be read again
 */
export async function backupVolume(
  repository: Repository,
  place: VolumePlace,
  order: BackupOrder,
  { signal, onProgress, onPublish, trace, isStillThere }: VolumeMoveOptions,
): Promise<BackupResult> {
  if (order.volume.volumeMode === 'Block') await requireDevice(place);
  const request = requestFor(place, order);
  const meter = new ProgressMeter(onProgress);
  const ended = new AbortController();
  const estimating = estimate(repository, request, AbortSignal.any([signal, ended.signal]), meter);
  let outcome: BackupOutcome;
  try {
    outcome = await backup(repository, request, {
      signal,
      beforePublish: async stored => {
        await isStillThere();
        requireSomething(stored, place.path);
        onPublish?.();
      },
      onProgress: ({ bytes, bytesTakenOver }) => meter.done(bytes + bytesTakenOver),
      onStage: stage => trace?.enter(stage),
    });
  } finally {
    ended.abort();
    await estimating;
  }
  // It is published, so cancelling comes too late: a snapshot that no status names would stay for
  // ever. One that cannot be read again goes when the object of the move is at its end (onPublish).
  trace?.enter('read again');
  const isEmpty = await readBack(repository, outcome);
  meter.finish(outcome.bytes);
  const { files, directories, bytesRead, bytesUploaded, skippedCount } = outcome;
  trace?.set({ files, directories, bytesRead, bytesUploaded, skippedCount });
  return {
    snapshotId: outcome.snapshotId,
    totalBytes: outcome.bytes,
    incrementalBytes: outcome.bytesRead,
    isEmpty,
    fileCount: outcome.files,
    skippedCount: outcome.skippedCount,
    skippedDirectoryCount: outcome.failedDirectoryCount,
    skipped: skippedLines(outcome.skipped, place.path),
  };
}

/** In place of the uid of a move, of which there is none yet. */
const PRE_COPY = 'pre-copy';

/**
 * The same, for the next backup to go on from: a checkpoint of all that can be read.
 * @throws what backup() throws
 */
export async function preCopyVolume(
  repository: Repository,
  place: VolumePlace,
  volume: PodVolume,
  { signal, isStillThere }: VolumeMoveOptions,
): Promise<PreCopyResult> {
  const request = requestFor(place, { volume, moveUid: PRE_COPY });
  const ahead = { ...request, description: 'Pre-copy', isCheckpoint: true };
  const options = { signal, beforePublish: isStillThere };
  const { bytes: totalBytes, bytesRead } = await backup(repository, ahead, options);
  return { totalBytes, bytesRead };
}

/**
 * One file that cannot be read must not cost the others their backup. But where none can be read it
 * is the volume that cannot (`lost+found` is there on every ext4): a Completed backup of that would
 * be found out when it is needed.
 */
function requireSomething(stored: StoredTree, root: string): void {
  const { files, symlinks, failedCount, skipped } = stored;
  if (files + symlinks > 0 || failedCount === 0) return;
  const what = failedCount === 1 ? 'what is in it' : `any of the ${failedCount} entries tried`;
  const text = `cannot read the volume at ${root}: ${what} cannot be read`;
  const named = skippedLines(skipped, root).join('; ');
  throw new EngineError('SOURCE_UNREADABLE', `${text}: ${named}; check the file system`);
}

/**
 * Everything in the volume is stored: what a `.kopiaignore` or a CACHEDIR.TAG in it names is data
 * of whoever asked for a backup, and stock leaves it out without a word (velero#7510, #4129). What
 * somebody has put into a policy of the repository counts. No policy is written: stock writes its
 * own before it looks (compression none, kopia's retention off), and none is needed to restore;
 * pins keep kopia's retention away.
 */
function requestFor(
  place: VolumePlace,
  order: Pick<BackupOrder, 'volume' | 'moveUid' | 'claim' | 'snapshotOf'>,
): BackupRequest {
  // The claim that is mounted is one that was made for this move.
  const claim = order.snapshotOf ? order.claim : (place.claim ?? order.claim);
  return {
    ...veleroNames(order, claim),
    path: place.path,
    // Sealed by the content, which readers know by a number in it: kopia reads both.
    compression: 'auto',
    storesIgnoredFiles: true,
    storesCacheDirectories: true,
    ignoreInode: place.hasPassingInodes,
    onError: 'warn',
  };
}

/**
 * Says how much there will be: as much as last time, else what a walk finds that goes beside the
 * backup. Best effort, as nothing but a progress bar depends on it.
 */
async function estimate(
  repository: Repository,
  request: BackupRequest,
  signal: AbortSignal,
  meter: ProgressMeter,
): Promise<void> {
  try {
    const { source, relatedTags: tags } = request;
    const own = await listSnapshots(repository, { source }, { signal });
    const related = tags ? await listSnapshots(repository, { tags }, { signal }) : [];
    const latest = own.at(-1) ?? related.at(-1);
    if (latest && latest.bytes > 0) {
      meter.estimate(latest.bytes);
      return;
    }
    const { files } = await surveyBackup(repository, request, { signal });
    meter.estimate(files.new.bytes + files.changed.bytes + files.unchanged.bytes);
  } catch {
    // Whatever it has met the backup meets as well, and tells; a finished one must not fail by it.
  }
}

/**
 * Looks for the snapshot in what others see, and reads its manifest and the root.
 * @returns whether nothing is in it
 */
async function readBack(
  repository: Repository,
  { snapshotId, rootObjectId }: BackupOutcome,
): Promise<boolean> {
  await repository.refresh();
  const { id, rootEntry } = await resolveSnapshot(repository, snapshotId);
  if (id !== snapshotId || rootEntry?.objectId !== rootObjectId) {
    const text = `snapshot ${snapshotId} is not what was written, reading it again`;
    throw new EngineError('SNAPSHOT_DAMAGED', `${text}; run the backup again`);
  }
  for await (const _entry of listTree(repository, snapshotId)) return false;
  return true;
}
