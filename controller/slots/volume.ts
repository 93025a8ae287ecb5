// A volume in the slot table, from its request to the end of its move, and what is granted
// together: a unit is one volume, a gang, or one volume of what is left of a gang that has begun.

import type { SlotVolume } from '#proto/slot-messages.ts';
import type { VolumeGauges } from './gauge-board.ts';
import type { Gauge } from './gauge.ts';
import type { Place } from './lane.ts';

export interface Volume extends SlotVolume {
  readonly gauges: VolumeGauges;
  readonly priority: number;
  readonly askedAtMs: number;
  /** Nodes that can run it, with the number of each one's request. */
  readonly candidates: Map<Gauge, number>;
  /** While it waits. */
  unit: Unit | undefined;
}

/** What the order of the queue looks at. */
export interface Rank {
  readonly priority: number;
  /** Among the namespaces of its priority. */
  readonly turn: number;
  /** When it goes before all that are not overdue. */
  readonly overdueAtMs: number;
  /** Arrival; settles what else is equal. */
  readonly sequence: number;
}

export interface Unit extends Rank {
  /** Of its first volume that still waits, for messages. */
  id: string;
  /** Who pays for the turn. */
  readonly namespace: string;
  readonly volumes: Volume[];
  readonly gang: string | undefined;
  /** The gang has begun without this volume, because a limit did not let it begin whole. */
  readonly rest: GangRest | undefined;
  priority: number;
  turn: number;
  /** What that cost its namespace; 0 before it has a turn. */
  turnSlots: number;
  overdueAtMs: number;
  /** While it waits and has gathered. */
  place: Place | undefined;
  /** What would be granted now: all of it, or what fits into the limits where it does not. */
  wave: readonly Volume[];
}

/** What is left of a gang that began in waves. */
export interface GangRest {
  wave: number;
  /** The round of that wave. */
  round: number;
  leftCount: number;
}

/** What is left of a gang goes before everything. */
export const REST_OVERDUE_AT_MS = -Number.MAX_SAFE_INTEGER;

/** Whether slots may be kept for it: gangs at once, others when they are overdue. */
export function mayKeep(unit: Unit, nowMs: number): boolean {
  return unit.volumes.length > 1 || unit.overdueAtMs <= nowMs;
}

/** Who goes first; the whole order of the queue. Negative: `a` before `b`. */
export function compareRanks(a: Rank, b: Rank, nowMs: number): number {
  const isOverdueA = a.overdueAtMs <= nowMs;
  const isOverdueB = b.overdueAtMs <= nowMs;
  if (isOverdueA !== isOverdueB) return isOverdueA ? -1 : 1;
  return isOverdueA ? compareOverdue(a, b) : compareTurns(a, b);
}

export function compareOverdue(a: Rank, b: Rank): number {
  return a.overdueAtMs - b.overdueAtMs || a.sequence - b.sequence;
}

export function compareTurns(a: Rank, b: Rank): number {
  return b.priority - a.priority || a.turn - b.turn || a.sequence - b.sequence;
}
