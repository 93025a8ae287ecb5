// Units that need exactly the same slots. Where the first of a lane cannot begin none of it can, so
// a decision looks at lanes and not at requests.

import { Heap } from './heap.ts';
import type { Need } from './needs.ts';
import { compareOverdue, compareTurns, type Rank, type Unit } from './volume.ts';

/** Where a unit stands; a unit whose rank changes gets a new place. */
export interface Place extends Rank {
  readonly lane: Lane;
  readonly unit: Unit;
}

const SPARE_PLACES = 32;

export class Lane {
  readonly key: string;
  readonly need: Need;
  /** The round in which its first unit could not begin. */
  closedIn = -1;
  #byTurn = new Heap<Place>(compareTurns);
  #byOverdue = new Heap<Place>(compareOverdue);
  #count = 0;

  constructor(key: string, need: Need) {
    this.key = key;
    this.need = need;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(unit: Unit): void {
    const { priority, turn, overdueAtMs, sequence } = unit;
    const place = { lane: this, unit, priority, turn, overdueAtMs, sequence };
    unit.place = place;
    this.#count += 1;
    this.#byTurn.push(place);
    this.#byOverdue.push(place);
  }

  /** Its entries in the heaps go when they come up, or when half of all entries are such. */
  remove(unit: Unit): void {
    unit.place = undefined;
    this.#count -= 1;
    const sizeMax = 2 * this.#count + SPARE_PLACES;
    if (this.#byTurn.size > sizeMax) this.#byTurn = this.#byTurn.filter(isTaken);
    if (this.#byOverdue.size > sizeMax) this.#byOverdue = this.#byOverdue.filter(isTaken);
  }

  /** Who goes first at this time. */
  head(nowMs: number): Unit | undefined {
    const overdue = firstOf(this.#byOverdue);
    if (overdue !== undefined && overdue.overdueAtMs <= nowMs) return overdue.unit;
    return firstOf(this.#byTurn)?.unit;
  }

  /** When another unit goes first although none came or left. */
  headChangesAtMs(nowMs: number): number {
    const overdueAtMs = firstOf(this.#byOverdue)?.overdueAtMs;
    if (overdueAtMs === undefined || overdueAtMs <= nowMs) return Number.POSITIVE_INFINITY;
    return overdueAtMs;
  }
}

function isTaken(place: Place): boolean {
  return place.unit.place === place;
}

function firstOf(heap: Heap<Place>): Place | undefined {
  for (;;) {
    const place = heap.peek();
    if (place === undefined || isTaken(place)) return place;
    heap.pop();
  }
}
