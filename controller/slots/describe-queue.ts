// The queue as people see it: who waits at which place, for how long and for what.

import type { GaugeName } from './gauge.ts';
import { heldBackBy } from './needs.ts';
import type { Outcome } from './round.ts';
import type { SlotTable } from './slot-table.ts';
import type { Unit, Volume } from './volume.ts';

/** What a request waits for. */
export type WaitCause =
  /** This limit is reached. */
  | { readonly kind: 'full'; readonly limit: GaugeName }
  /** There is room, which is kept for the request `forId`. */
  | { readonly kind: 'kept'; readonly limit: GaugeName; readonly forId: string }
  /** This limit is 0: somebody has stopped it. */
  | { readonly kind: 'stopped'; readonly limit: GaugeName }
  /** Further volumes of its gang may come. */
  | { readonly kind: 'gathering'; readonly gang: string }
  /** The controller has just started and does not know yet what runs. */
  | { readonly kind: 'starting' }
  /** Nothing: it begins with the next decision. */
  | { readonly kind: 'next' };

export interface QueueEntry {
  readonly id: string;
  readonly namespace: string;
  readonly pod: string;
  readonly gang: string | undefined;
  /** From 1; the volumes of a gang stand at the same place. */
  readonly place: number;
  readonly priority: number;
  readonly waitedMs: number;
  readonly cause: WaitCause;
}

/** In the order of the queue. Looks at everybody: for people and metrics, not for decisions. */
export function describeQueue(table: SlotTable, nowMs: number, isStarting: boolean): QueueEntry[] {
  return table.review(nowMs).flatMap(({ unit, outcome }, index) =>
    unit.volumes.map(volume => ({
      id: volume.id,
      namespace: volume.namespace,
      pod: volume.pod,
      gang: unit.gang,
      place: index + 1,
      priority: unit.priority,
      waitedMs: nowMs - volume.askedAtMs,
      cause: isStarting ? { kind: 'starting' } : causeOf(unit, outcome, table),
    })),
  );
}

function causeOf(unit: Unit, outcome: Outcome | undefined, table: SlotTable): WaitCause {
  if (outcome?.kind === 'fits') return { kind: 'next' };
  if (outcome?.kind === 'waits') {
    const limit = nameOf(outcome.at);
    const { keptFor } = outcome;
    if (keptFor === undefined || keptFor === unit.id) return { kind: 'full', limit };
    return { kind: 'kept', limit, forId: keptFor };
  }
  const stoppedBy = (volume: Volume) => heldBackBy(volume, table.cluster);
  const stopped = unit.volumes.map(stoppedBy).find(gauge => gauge !== undefined);
  if (stopped !== undefined) return { kind: 'stopped', limit: nameOf(stopped) };
  return { kind: 'gathering', gang: unit.gang ?? unit.id };
}

function nameOf({ kind, name }: GaugeName): GaugeName {
  return { kind, name };
}
