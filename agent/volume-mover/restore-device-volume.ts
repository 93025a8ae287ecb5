// A snapshot of a device, ours or one of Velero's block mode, onto the device of a volume: whatever
// it has is overwritten, as with stock, and there is no place for a done file.

import { type Repository, restoreDevice } from '#engine/index.ts';
import type { RestoreOrder, RestoreResult } from '#agent/moves/volume-mover.ts';
import type { VolumePlace } from '#agent/volumes/locate-volume.ts';
import type { VolumeMoveOptions } from './backup-volume.ts';
import { requireDevice } from './device-volume.ts';
import { ProgressMeter } from './move-progress.ts';
import { requireSnapshot } from './restore-volume.ts';

/**
 * The device has all of it when it resolves.
 * @throws what restoreDevice() throws, TARGET_TOO_SMALL among it; SNAPSHOT_NOT_FOUND,
 *   VOLUME_NOT_FOUND
 */
export async function restoreDeviceVolume(
  repository: Repository,
  place: VolumePlace,
  { snapshotId }: RestoreOrder,
  { signal, onProgress, trace, isStillThere }: VolumeMoveOptions,
): Promise<RestoreResult> {
  await requireDevice(place);
  const { bytes } = await requireSnapshot(repository, snapshotId, signal);
  const meter = new ProgressMeter(onProgress);
  meter.estimate(bytes);
  const outcome = await restoreDevice(
    repository,
    { snapshot: snapshotId, target: place.path, isOverwriting: true },
    {
      signal,
      onProgress: progress => meter.done(progress.bytes),
      onStage: stage => trace?.enter(stage),
    },
  );
  const { files, directories, bytesFetched, differenceCount } = outcome;
  trace?.set({ files, directories, bytesFetched, differenceCount });
  await isStillThere();
  meter.finish(outcome.bytes);
  return {
    totalBytes: outcome.bytes,
    fileCount: outcome.files,
    missingCount: 0,
    missing: [],
    differenceCount: 0,
    differences: [],
  };
}
