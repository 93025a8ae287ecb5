// What a run of a move has published and nobody has said so: one that was killed before it could,
// or one that was slower than the report of another. It is pinned, complete, and named by no
// object, so that nobody else would ever remove it. Which it is, only an object that is at its end
// tells: until then the report of any of them may still arrive.

import { forgetSnapshots, listSnapshots, type Repository, resolveSnapshot } from '#engine/index.ts';
import type { VeleroNames } from './velero-source.ts';

/** Each is one more restart of the agent during the same move. */
const LOOKED_AT = 4;

/** @param reportedId the one that the object of the move names, if any; read after its end */
export async function forgetUnreported(
  repository: Repository,
  { source, rootName }: Pick<VeleroNames, 'source' | 'rootName'>,
  reportedId: string | undefined,
): Promise<void> {
  const ofSource = await listSnapshots(repository, { source });
  for (const { id, problem } of ofSource.slice(-LOOKED_AT)) {
    if (id === reportedId || problem) continue;
    const { rootEntry } = await resolveSnapshot(repository, id);
    if (rootEntry?.name === rootName) await forgetSnapshots(repository, [id]);
  }
}
