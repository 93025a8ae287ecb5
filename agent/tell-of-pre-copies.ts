// What becomes of copies ahead of backups: a line of the log and a count, and where a user has to
// know something an event on the pod, which asked for it.

import { isEngineError, messageOf } from '#engine/base/errors.ts';
import type { EventWriter } from '#kube/events.ts';
import type { PreCopyReport } from '#agent/pre-copy/pre-copying.ts';
import type { Log } from './log.ts';
import type { AgentMetrics } from './metrics.ts';

export interface PreCopyTellParts {
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'preCopyEnded'>;
  readonly emit: EventWriter['emit'];
}

export function tellOfPreCopies({ log, metrics, emit }: PreCopyTellParts) {
  return ({ volume, end }: PreCopyReport): void => {
    const { namespace, pod, volumeName, location } = volume;
    const due = new Date(volume.dueMs).toISOString();
    const lines = log.with({ pod: `${namespace}/${pod}`, volume: volumeName, location, due });
    const tellUser = (type: 'Normal' | 'Warning', reason: string, why: string) =>
      emit({
        regarding: podOf(volume),
        ...{ type, reason },
        message: `volume ${volumeName} was not copied ahead of the backup of ${due}: ${why}`,
      });
    switch (end.kind) {
      case 'copied': {
        const { result, durationMs } = end;
        metrics.preCopyEnded('copied', result.bytesRead);
        return lines.info({ ...result, durationMs }, 'volume copied ahead of its backup');
      }
      case 'stopped': {
        const { reason, hadBegun } = end;
        metrics.preCopyEnded('stopped', 0);
        return lines.info({ reason, hadBegun }, 'pre-copy stopped');
      }
      case 'refused':
        metrics.preCopyEnded('failed', 0);
        lines.warn({}, 'pre-copy failed: too many moves wait for a slot');
        return tellUser('Warning', 'PreCopyFailed', 'too many moves wait for a slot');
      case 'failed': {
        const { error } = end;
        // As it is before the first backup of a namespace: the server makes the repository.
        if (isEngineError(error, 'REPOSITORY_UNKNOWN')) {
          metrics.preCopyEnded('skipped', 0);
          lines.info({ text: messageOf(error) }, 'pre-copy skipped');
          return tellUser('Normal', 'PreCopySkipped', messageOf(error));
        }
        metrics.preCopyEnded('failed', 0);
        lines.warn({ error }, 'pre-copy failed');
        // Of a pod that is gone there is nobody to tell.
        if (isEngineError(error, 'POD_NOT_FOUND')) return undefined;
        return tellUser('Warning', 'PreCopyFailed', messageOf(error));
      }
    }
  };
}

function podOf({ namespace, pod: name, podUid: uid }: PreCopyReport['volume']) {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, uid } };
}
