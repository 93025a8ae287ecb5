// One decision: units come in the order of the queue, and each begins, or waits and may have slots
// kept for it.
//
// A unit acquires from the narrowest limit to the widest: nodes, storage class, location, cluster.
// At the first that has no room it stops. If it may keep slots and nobody before it keeps any for
// want of this room, then what it needs of the narrower limits, and what there is of this one, is
// kept for it. So there is at most one such unit for each limit that is full; who is first in the
// queue gets the next slots at each of its limits and waits for one move at each at most; and a
// wide limit never stands idle for want of a narrow one.

import type { Gauge } from './gauge.ts';
import type { Lane } from './lane.ts';
import type { Part } from './needs.ts';
import { Placement } from './placement.ts';
import { mayKeep, type Unit, type Volume } from './volume.ts';

export type Outcome =
  | {
      readonly kind: 'fits';
      readonly stages: readonly (readonly Part[])[];
      readonly nodeOf: (volume: Volume) => Gauge | undefined;
    }
  | { readonly kind: 'waits'; readonly at: Gauge; readonly keptFor: string | undefined };

export class Round {
  readonly number: number;
  readonly nowMs: number;
  /**
   * Somebody may have other slots kept for it after others have begun, so those behind it may find
   * room that was kept in this round.
   */
  mayKeepOther = false;

  constructor(number: number, nowMs: number) {
    this.number = number;
    this.nowMs = nowMs;
  }

  consider(unit: Unit, lane: Lane): Outcome {
    const { need } = lane;
    if (need.isPlaceable) return this.#considerPlaces(unit, lane);
    return this.#acquire(unit, need.stages, [], onlyNodeOf);
  }

  #considerPlaces(unit: Unit, lane: Lane): Outcome {
    const placement = new Placement(node => node.room(this.number));
    const placed = unit.wave.map(volume => placement.add(volume));
    const lacking = new Map<Gauge, Part>();
    unit.wave.forEach((volume, index) => {
      if (placed[index]) return;
      for (const gauge of volume.candidates.keys()) lacking.set(gauge, { gauge, count: 1 });
    });
    const [, ...stages] = lane.need.stages;
    const nodeOf = (volume: Volume) => placement.nodeOf.get(volume);
    // Its places depend on the room at all its nodes.
    this.mayKeepOther = true;
    return this.#acquire(unit, [placement.counts(), ...stages], [...lacking.values()], nodeOf);
  }

  /** `lacking`: places that are missing besides what the first stage says. */
  #acquire(
    unit: Unit,
    stages: readonly (readonly Part[])[],
    lacking: readonly Part[],
    nodeOf: (volume: Volume) => Gauge | undefined,
  ): Outcome {
    // Most of those who are asked come through all stages or fail at one: no lists for that.
    for (let index = 0; index < stages.length; index++) {
      const stage = stages[index];
      const isLacking = index === 0 && lacking.length > 0;
      if (!isLacking && stage.every(part => part.gauge.room(this.number) >= part.count)) continue;
      const missing = isLacking
        ? lacking
        : stage.filter(part => part.gauge.room(this.number) < part.count);
      const at = missing[0].gauge;
      const keptFor =
        at.max !== undefined && at.used < at.max ? at.keptFor(this.number) : undefined;
      this.#keep(unit, stages.slice(0, index), stage, missing);
      return { kind: 'waits', at, keptFor };
    }
    return { kind: 'fits', stages, nodeOf };
  }

  #keep(
    unit: Unit,
    narrower: readonly (readonly Part[])[],
    stage: readonly Part[],
    missing: readonly Part[],
  ): void {
    if (!mayKeep(unit, this.nowMs)) return;
    if (missing.some(({ gauge }) => gauge.hasFront(this.number))) {
      // It holds on to nothing, so it may come to lack a narrower limit, and be the first there. A
      // single volume without room at its only node has nothing to keep.
      if (narrower.length > 1 || unit.wave.length > 1) this.mayKeepOther = true;
      return;
    }
    const parts = narrower.flat();
    for (const { gauge, count } of stage) {
      const room = Math.min(count, gauge.room(this.number));
      if (room > 0) parts.push({ gauge, count: room });
    }
    if (parts.length === 0) return;
    for (const { gauge, count } of parts) gauge.keep(count, unit.id, this.number);
    for (const { gauge } of missing) gauge.takeFront(this.number);
  }
}

function onlyNodeOf(volume: Volume): Gauge | undefined {
  return volume.candidates.keys().next().value;
}
