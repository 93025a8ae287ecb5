// A snapshot of Velero into a volume: what is there is overwritten where the snapshot has
// something, and nothing else of it is removed, as with stock. When all is synced the pod is told.

import { EngineError } from '#engine/base/errors.ts';
import { type Repository, resolveSnapshot, restore, type RestoreOutcome } from '#engine/index.ts';
import type { RestoreOrder, RestoreResult } from '#agent/moves/volume-mover.ts';
import type { VolumePlace } from '#agent/volumes/locate-volume.ts';
import type { VolumeMoveOptions } from './backup-volume.ts';
import { DONE_DIRECTORY, hasDoneFile, removeDoneFile, writeDoneFile } from './done-file.ts';
import { ProgressMeter } from './move-progress.ts';
import { DifferenceLines } from './result-text.ts';

const DONE: RestoreResult = Object.freeze({
  wasDone: true,
  totalBytes: 0,
  missingCount: 0,
  missing: [],
  differenceCount: 0,
  differences: [],
});

/** What a snapshot says that it has. */
interface Content {
  readonly files: number;
  readonly symlinks: number;
  readonly bytes: number;
}

/**
 * @throws what restore() throws, SNAPSHOT_NOT_FOUND, TARGET_NOT_WRITABLE; TARGET_ENTRY_FAILED when
 *   nothing of what is in the snapshot is there
 */
export async function restoreVolume(
  repository: Repository,
  place: VolumePlace,
  order: RestoreOrder,
  { signal, onProgress, trace, isStillThere }: VolumeMoveOptions,
): Promise<RestoreResult> {
  const { doneFile } = order;
  // Written when all was synced, and named by this Restore. An agent was killed after that, and
  // what the API shows of the pod may be late: it may have gone on, and its app may have written.
  if (doneFile !== undefined && (await hasDoneFile(place.path, doneFile))) return DONE;
  const summary = await requireSnapshot(repository, order.snapshotId, signal);
  const { bytes } = summary;
  // What is of that name and no file would let the pod go on while its volume is written.
  if (doneFile !== undefined) await removeDoneFile(place.path, doneFile);
  const meter = new ProgressMeter(onProgress);
  meter.estimate(bytes);
  const request = {
    snapshot: order.snapshotId,
    target: place.path,
    // Files that are there already are compared by their hashes and written where they differ. So a
    // restore that was interrupted goes on, and no file is taken for the right one by its time.
    overwrite: 'always' as const,
    delta: true,
    exclude: doneFile === undefined ? [] : [`/${DONE_DIRECTORY}`],
  };
  const lines = new DifferenceLines();
  const outcome = await restore(repository, request, {
    signal,
    onProgress: progress => meter.done(progress.bytes + progress.bytesPresent),
    onStage: stage => trace?.enter(stage),
    onDifference: difference => lines.add(difference),
  });
  const { files, directories, bytesFetched, differenceCount } = outcome;
  trace?.set({ files, directories, bytesFetched, differenceCount });
  await isStillThere();
  // No done file, so that the pod does not begin with an empty volume.
  requireSomething(outcome, summary, lines);
  trace?.enter('tell the pod');
  if (doneFile !== undefined) await writeDoneFile(place.path, doneFile, signal);
  meter.finish(bytes);
  return {
    totalBytes: bytes,
    fileCount: outcome.files,
    missingCount: outcome.missingCount,
    missing: lines.missing,
    differenceCount: outcome.differenceCount - outcome.missingCount,
    differences: lines.differences,
  };
}

/** Not as much as one file, or link where there are only links. */
function requireSomething(
  { files, filesKept, missingCount, target }: RestoreOutcome,
  wanted: Content,
  { missing }: DifferenceLines,
): void {
  const isNothingThere =
    wanted.files > 0
      ? missingCount > 0 && files + filesKept === 0
      : wanted.symlinks > 0 && missingCount >= wanted.symlinks;
  if (!isNothingThere) return;
  const text = `cannot restore anything to ${target}: ${missing.join('; ')}`;
  const advice = 'check what is in the volume, and its rights';
  throw new EngineError('TARGET_ENTRY_FAILED', `${text}; ${advice}`);
}

/** How much it has. @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_DAMAGED */
export async function requireSnapshot(
  repository: Repository,
  snapshotId: string,
  signal: AbortSignal,
): Promise<Content> {
  // Beginnings of ids and `latest` are for people.
  if (!/^[0-9a-f]{32}$/.test(snapshotId)) throw notFound(snapshotId);
  const { rootEntry } = await resolveSnapshot(repository, snapshotId, {}, { signal });
  if (rootEntry?.type !== 'd') {
    const text = `cannot restore snapshot ${snapshotId}: it is not of a directory`;
    throw new EngineError('SNAPSHOT_DAMAGED', `${text}; it was made of something else`);
  }
  return { files: 0, symlinks: 0, bytes: 0, ...rootEntry.summary };
}

function notFound(snapshotId: string): EngineError {
  const text = `cannot restore snapshot ${JSON.stringify(snapshotId)}: this is no id of one`;
  return new EngineError('SNAPSHOT_NOT_FOUND', `${text}; see status.snapshotID of the backup`);
}
