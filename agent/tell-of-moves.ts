// What the reconcilers report becomes a line of the log, a count, and for what a user has to know
// an event on the custom resource.

import type { Clock } from '#engine/base/clock.ts';
import type { ObjectEvent } from '#kube/events.ts';
import { ageMs, apiVersionOf, keyOf, type KubeObject, type Resource } from '#kube/kube-object.ts';
import type { MoveReport } from '#agent/moves/move-components.ts';
import type { Log } from './log.ts';
import type { AgentMetrics, MoveKind, MoveOutcome } from './metrics.ts';

export interface TellParts {
  /** Of the moves that are told of. */
  readonly resource: Resource;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'moveStarted' | 'moveEnded' | 'stageEnded'>;
  readonly clock: Clock;
  /** Must not throw, and is not waited for. */
  readonly emit: (event: ObjectEvent) => void;
}

const OUTCOMES: Readonly<Record<string, MoveOutcome>> = Object.freeze({
  Completed: 'completed',
  Failed: 'failed',
  Canceled: 'canceled',
});

/** For `report` of the reconciler of that kind. */
export function tellOfMoves(kind: MoveKind, parts: TellParts): (report: MoveReport) => void {
  const { log, metrics, clock, resource } = parts;
  return report => {
    const { item, traceId } = report;
    const lines = log.with({ kind, move: keyOf(item), ...(traceId && { traceId }) });
    // Items of a list come without their kind, which an event has to name.
    const regarding = { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind };
    switch (report.type) {
      case 'phase':
        return tellPhase(kind, parts, lines, { ...report, regarding });
      case 'warning':
        lines.warn({ reason: report.reason, text: report.message }, 'move ended imperfectly');
        return parts.emit({
          regarding,
          type: 'Warning',
          reason: report.reason,
          message: report.message,
        });
      case 'waiting':
        lines.info({ cause: report.cause, text: report.message }, 'move waits');
        return parts.emit({
          regarding,
          type: 'Normal',
          reason: 'WaitingForSlot',
          message: report.message,
        });
      case 'exposing':
        lines.info({ missing: report.missing }, 'move waits for its volume');
        return parts.emit({
          regarding,
          type: 'Normal',
          reason: 'WaitingForVolume',
          message: `waits: ${report.missing} is missing`,
        });
      case 'withdrawing':
        return lines.info({ leaving: report.leaving }, 'what was made for the move is going');
      case 'run-started':
        metrics.moveStarted(kind);
        if (!report.isTakenOver)
          metrics.stageEnded(kind, 'waiting', ageMs(item.metadata, clock.now()));
        return lines.info({ isTakenOver: report.isTakenOver }, 'move begun');
      case 'finalizer-removed':
        return lines.info({}, 'finalizer removed');
      case 'stock-pod-deleted':
        return lines.info({}, 'mover pod of a stock agent deleted');
      case 'rules-corrected':
        return lines.warn({}, 'the server refused a phase; those of Velero 1.16 are written now');
    }
  };
}

interface Regarding {
  readonly regarding: KubeObject;
}

function tellPhase(
  kind: MoveKind,
  { metrics, clock, emit }: TellParts,
  lines: Log,
  { item, phase, message, regarding }: Extract<MoveReport, { type: 'phase' }> & Regarding,
): void {
  const outcome = OUTCOMES[phase];
  if (outcome === undefined) return lines.info({ phase }, 'move has another phase');
  const durationMs = ageMs(item.metadata, clock.now());
  const { backupStorageLocation: location } = item.spec;
  metrics.moveEnded({ kind, outcome, location, durationMs, message });
  const keys = { phase, text: message, durationMs, bytes: item.status?.progress?.bytesDone };
  if (outcome === 'completed') return lines.info(keys, 'move ended');
  lines.warn(keys, 'move ended');
  emit({ regarding, type: 'Warning', reason: phase, message: message ?? phase });
}
