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
  resolveSnapshot,
  type SnapshotSummary,
} from '#engine/index.ts';
import type { BackupEnd } from '#agent/moves/volume-mover.ts';
import type { VeleroNames } from './velero-source.ts';

/** Each is one more restart of the agent during the same move. */
const LOOKED_AT = 4;

/** @param end of the move; read after it */
export async function forgetUnreported(
  repository: Repository,
  { source, rootName }: Pick<VeleroNames, 'source' | 'rootName'>,
  { reportedId, isGivenUp }: BackupEnd,
): Promise<void> {
  const ofSource = await listSnapshots(repository, { source, includeIncomplete: isGivenUp });
  const snapshots = ofSource.filter(isComplete).slice(-LOOKED_AT);
  const states = ofSource.filter(each => !isComplete(each) && each.pins.length === 0);
  for (const { id, problem } of [...snapshots, ...states.slice(-LOOKED_AT)]) {
    if (id === reportedId || problem) continue;
    const { rootEntry } = await resolveSnapshot(repository, id);
    if (rootEntry?.name === rootName) await forgetSnapshots(repository, [id]);
  }
}

function isComplete({ incomplete }: SnapshotSummary): boolean {
  return incomplete === '';
}
