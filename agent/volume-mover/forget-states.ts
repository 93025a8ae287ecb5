// States of backups that did not end are for the next backup of the same volume, which removes
// them. Of a volume that is never backed up again nobody would: then they would keep their data for
// ever, as neither Velero nor maintenance takes them away.

import type { Clock } from '#engine/base/clock.ts';
import { forgetSnapshots, listSnapshots, type Repository } from '#engine/index.ts';
import { REQUESTERS } from './velero-source.ts';

/** No schedule that anybody goes on with is slower than this. */
const STATE_AGE_MS_MAX = 7 * 24 * 60 * 60_000;

/**
 * Forgets those of ours that are older than a week: incomplete, with our tag, and not pinned, as
 * those of stock are. Others have removed them when they are gone meanwhile.
 * @returns how many
 * @throws what writing throws
 */
export async function forgetOldStates(
  repository: Repository,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const source = { user: 'default', host: 'default' };
  const youngestMs = clock.now() - STATE_AGE_MS_MAX;
  const lists = REQUESTERS.map(requester => {
    const tags = { 'snapshot-requester': requester };
    return listSnapshots(repository, { source, tags, includeIncomplete: true }, { signal });
  });
  const old = (await Promise.all(lists))
    .flat()
    .filter(({ incomplete, pins, problem }) => incomplete !== '' && pins.length === 0 && !problem)
    .filter(({ endTime }) => Date.parse(endTime) < youngestMs)
    .map(({ id }) => id);
  if (old.length > 0) await forgetSnapshots(repository, old, { signal });
  return old.length;
}
