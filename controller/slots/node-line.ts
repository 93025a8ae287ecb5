// The lanes that need a slot of one node, in the order of their first units. They are sorted again
// only after something has changed here, or when somebody has become overdue; a round goes through
// them.

import type { Gauge } from './gauge.ts';
import type { Lane } from './lane.ts';
import { compareRanks, mayKeep, type Unit } from './volume.ts';

export interface Front {
  readonly line: NodeLine;
  readonly lane: Lane;
  readonly unit: Unit;
}

export class NodeLine {
  readonly node: Gauge;
  readonly #lanes = new Set<Lane>();
  #fronts: Front[] = [];
  #sortedUntilMs = Number.NEGATIVE_INFINITY;
  /** Where a round has come to. */
  #index = 0;

  constructor(node: Gauge) {
    this.node = node;
  }

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  add(lane: Lane): void {
    this.#lanes.add(lane);
    this.touch();
  }

  delete(lane: Lane): void {
    this.#lanes.delete(lane);
    this.touch();
  }

  /** Somebody came to one of its lanes, or left it. */
  touch(): void {
    this.#sortedUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Who goes first of those for whom this round may do something. */
  first(nowMs: number, round: number): Front | undefined {
    this.#index = 0;
    return this.next(nowMs, round);
  }

  /** Who goes after the one that was given last, or first again if something has changed. */
  next(nowMs: number, round: number): Front | undefined {
    if (nowMs >= this.#sortedUntilMs) {
      this.#sort(nowMs);
      this.#index = 0;
    }
    while (this.#index < this.#fronts.length) {
      const front = this.#fronts[this.#index++];
      if (front.lane.closedIn !== round && !isHopeless(front, nowMs, round)) return front;
    }
    return undefined;
  }

  #sort(nowMs: number): void {
    this.#fronts = [];
    this.#sortedUntilMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes) {
      this.#sortedUntilMs = Math.min(this.#sortedUntilMs, lane.headChangesAtMs(nowMs));
      const unit = lane.head(nowMs);
      if (unit !== undefined && unit.wave.length > 0) this.#fronts.push({ line: this, lane, unit });
    }
    this.#fronts.sort((a, b) => compareRanks(a.unit, b.unit, nowMs));
  }
}

/**
 * A single volume that would not begin in this round, and for which nothing would be kept, whatever
 * those who go before it will get: it is asked about ahead of its turn, so a limit that has room
 * now may have none by then. Saves asking one by one where a class with many requests is full.
 */
function isHopeless({ unit }: Front, nowMs: number, round: number): boolean {
  if (unit.volumes.length > 1) return false;
  const { storageClass, location } = unit.volumes[0].gauges;
  const isClassFull = storageClass.room(round) < 1;
  if (!isClassFull && location.room(round) >= 1) return false;
  if (!mayKeep(unit, nowMs)) return true;
  const isClassTaken = storageClass.max === undefined || storageClass.hasFront(round);
  return isClassTaken && (isClassFull || location.hasFront(round));
}
