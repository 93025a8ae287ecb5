// Repositories that say how long it took until one was open, which is a stage of a move: the server
// prepares it, others may have to close theirs first, and the index is read.

import type { Clock } from '#engine/base/clock.ts';
import type { SharedRepositories } from '#agent/repositories/shared-repositories.ts';
import type { AgentMetrics } from './metrics.ts';

type Repositories = Pick<SharedRepositories, 'acquire'>;

export function measuredRepositories(
  repositories: Repositories,
  metrics: Pick<AgentMetrics, 'stageEnded'>,
  clock: Clock,
): Repositories {
  return {
    async acquire(name, access, ...rest) {
      const startMs = clock.monotonic();
      const kind = access === 'write' ? 'PodVolumeBackup' : 'PodVolumeRestore';
      try {
        return await repositories.acquire(name, access, ...rest);
      } finally {
        metrics.stageEnded(kind, 'opening', clock.monotonic() - startMs);
      }
    },
  };
}
