// What a run of a move has published and nobody has said so: one that was killed before it could,
// or one that was slower than the report of another. It is pinned, complete, and named by no
// object, so that nobody else would ever remove it. Which it is, only an object that is at its end
// tells: until then the report of any of them may still arrive.
//
// A state that a run has saved is for the next backup of the volume. But a move that somebody has
// cancelled is not wanted any more, and for all that is known nor is the next one: its states would
// keep their data for a week.

import {
  forgetSnapshots,
  listSnapshots,
  type Repository,
  type SnapshotSummary,
} from '#engine/index.ts';
import type { BackupEnd } from '#agent/moves/volume-mover.ts';
import type { VeleroNames } from './velero-source.ts';

/** @param end of the move; read after it */
export async function forgetUnreported(
  repository: Repository,
  { source, rootName }: Pick<VeleroNames, 'source' | 'rootName'>,
  { reportedId, isGivenUp }: BackupEnd,
): Promise<void> {
  const ofSource = await listSnapshots(repository, { source, includeIncomplete: isGivenUp });
  const unreported = ofSource.filter(
    each => each.rootName === rootName && each.id !== reportedId && isItsOwn(each),
  );
  if (unreported.length === 0) return;
  await forgetSnapshots(
    repository,
    unreported.map(({ id }) => id),
  );
}

/** A pinned state is somebody's; a snapshot is pinned by the run itself. */
function isItsOwn({ incomplete, pins }: SnapshotSummary): boolean {
  return incomplete === '' || pins.length === 0;
}
