// What an earlier run of the same move has published when it was killed before it could say so:
// pinned, complete, and named by no object, so that nobody else would ever remove it.

import { forgetSnapshots, listSnapshots, type Repository, resolveSnapshot } from '#engine/index.ts';
import type { VeleroNames } from './velero-source.ts';

/** Each is one more restart of the agent during the same move. */
const LOOKED_AT = 4;

/** @param snapshotId the one that will be reported */
export async function forgetUnreported(
  repository: Repository,
  { source, rootName }: Pick<VeleroNames, 'source' | 'rootName'>,
  snapshotId: string,
): Promise<void> {
  const ofSource = await listSnapshots(repository, { source });
  for (const { id, problem } of ofSource.slice(-LOOKED_AT)) {
    if (id === snapshotId || problem) continue;
    const { rootEntry } = await resolveSnapshot(repository, id);
    if (rootEntry?.name === rootName) await forgetSnapshots(repository, [id]);
  }
}
