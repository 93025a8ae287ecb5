// Everybody who waits: volumes gathered into units, units in lanes, lanes by node. Knows the order
// of the queue and nothing of who holds what.

import type { Gauge } from './gauge.ts';
import { Lane } from './lane.ts';
import { firstWave, needOf } from './needs.ts';
import { NodeLine } from './node-line.ts';
import { GANG_MEMBERS_MAX, overdueAfterMs, type SlotLimits } from './slot-limits.ts';
import { Turns } from './turns.ts';
import { REST_OVERDUE_AT_MS, type GangRest, type Unit, type Volume } from './volume.ts';

interface GatheringGang {
  readonly unit: Unit;
  readonly readyAtMs: number;
  count: number | undefined;
}

export class WaitingLine {
  readonly #cluster: Gauge;
  #limits: SlotLimits;
  readonly #turns = new Turns();
  readonly #units = new Set<Unit>();
  readonly #lanes = new Map<string, Lane>();
  readonly #nodeLines = new Map<Gauge, NodeLine>();
  /** Gangs that wait, by key. */
  readonly #gangs = new Map<string, GatheringGang>();
  /** Those that still wait for members, the oldest first. */
  readonly #gathering = new Set<GatheringGang>();
  #sequence = 0;

  constructor(cluster: Gauge, limits: SlotLimits) {
    this.#cluster = cluster;
    this.#limits = limits;
  }

  setLimits(limits: SlotLimits): void {
    this.#limits = limits;
    for (const unit of this.#units) {
      if (unit.rest === undefined) unit.overdueAtMs = this.#overdueAtMs(unit.volumes);
    }
    this.#layOut([...this.#units].filter(unit => unit.place !== undefined));
  }

  /** After the limit of a node has changed. */
  reviewNode(node: Gauge): void {
    const units = [...this.#units].filter(
      unit =>
        unit.place !== undefined && unit.volumes.some(({ candidates }) => candidates.has(node)),
    );
    this.#layOut(units);
  }

  add(volume: Volume, nowMs: number): void {
    const { gang } = volume;
    if (gang === undefined) {
      this.#takeTurn(this.#newUnit([volume], undefined, undefined));
      return;
    }
    const known = this.#gangs.get(gang.key);
    if (known !== undefined && known.unit.volumes.length < GANG_MEMBERS_MAX) {
      this.#join(known, volume);
      if (this.#gathering.has(known)) this.#settleOne(known, nowMs);
      return;
    }
    const unit = this.#newUnit([volume], gang.key, undefined);
    const readyAtMs = nowMs + this.#limits.gatherMs;
    const gathering = { unit, readyAtMs, count: gang.count };
    this.#gangs.set(gang.key, gathering);
    this.#gathering.add(gathering);
    this.#settleOne(gathering, nowMs);
  }

  remove(volume: Volume): void {
    const { unit } = volume;
    if (unit === undefined) return;
    volume.unit = undefined;
    unit.volumes.splice(unit.volumes.indexOf(volume), 1);
    if (unit.rest !== undefined) unit.rest.leftCount -= 1;
    if (unit.volumes.length > 0) {
      unit.id = unit.volumes[0].id;
      if (unit.place !== undefined) this.#layOut([unit]);
      return;
    }
    if (unit.turnSlots > 0) this.#turns.giveBack(unit.priority, unit.namespace, unit.turnSlots);
    this.#forget(unit);
  }

  /** After its candidates have changed. */
  review(volume: Volume): void {
    if (volume.unit?.place !== undefined) this.#layOut([volume.unit]);
  }

  /** Gangs whose time of gathering is over take their turns. */
  settle(nowMs: number): void {
    for (const gathering of this.#gathering) this.#settleOne(gathering, nowMs);
  }

  /** The wave of a unit is granted; the rest of its gang goes to the front of the queue. */
  begin(unit: Unit, round: number): void {
    const granted = new Set(unit.wave);
    const rest = unit.volumes.filter(volume => !granted.has(volume));
    for (const volume of granted) volume.unit = undefined;
    if (unit.turnSlots > 0) this.#turns.serve(unit.priority, unit.turn);
    this.#forget(unit);
    if (rest.length === 0) return;
    const gangRest: GangRest = { wave: 1, round, leftCount: rest.length };
    for (const volume of rest) this.#layOut([this.#newUnit([volume], unit.gang, gangRest)]);
  }

  /** Nodes at which somebody waits. */
  nodeLines(): Iterable<NodeLine> {
    return this.#nodeLines.values();
  }

  /** In no order; those without a lane still gather. */
  units(): Iterable<Unit> {
    return this.#units;
  }

  #newUnit(volumes: Volume[], gang: string | undefined, rest: GangRest | undefined): Unit {
    const [{ id, namespace, priority }] = volumes;
    const overdueAtMs = rest ? REST_OVERDUE_AT_MS : this.#overdueAtMs(volumes);
    const unit: Unit = {
      id,
      namespace,
      volumes,
      gang,
      rest,
      sequence: this.#sequence++,
      priority,
      turn: 0,
      turnSlots: 0,
      overdueAtMs,
      place: undefined,
      wave: [],
    };
    for (const volume of volumes) volume.unit = unit;
    this.#units.add(unit);
    return unit;
  }

  #overdueAtMs(volumes: readonly Volume[]): number {
    const { ageingMs } = this.#limits;
    return Math.min(
      ...volumes.map(({ askedAtMs, priority }) => askedAtMs + overdueAfterMs(priority, ageingMs)),
    );
  }

  #join(gathering: GatheringGang, volume: Volume): void {
    const { unit } = gathering;
    unit.volumes.push(volume);
    volume.unit = unit;
    gathering.count ??= volume.gang?.count;
    unit.overdueAtMs = this.#overdueAtMs(unit.volumes);
    const priority = Math.max(unit.priority, volume.priority);
    if (unit.place === undefined) {
      unit.priority = priority;
      return;
    }
    this.#leaveLane(unit);
    if (priority > unit.priority) {
      this.#turns.giveBack(unit.priority, unit.namespace, unit.turnSlots);
      unit.priority = priority;
      this.#takeTurn(unit);
    } else this.#layOut([unit]);
  }

  #settleOne(gathering: GatheringGang, nowMs: number): void {
    const { unit, count, readyAtMs } = gathering;
    const isWhole = count !== undefined && unit.volumes.length >= count;
    if (!isWhole && readyAtMs > nowMs) return;
    this.#gathering.delete(gathering);
    this.#takeTurn(unit);
  }

  #takeTurn(unit: Unit): void {
    unit.turnSlots = unit.volumes.length;
    unit.turn = this.#turns.take(unit.priority, unit.namespace, unit.turnSlots);
    this.#layOut([unit]);
  }

  #layOut(units: readonly Unit[]): void {
    for (const unit of units) {
      this.#leaveLane(unit);
      unit.wave = firstWave(unit.volumes, this.#cluster);
      // A unit that is held back needs all of itself, and gets nothing.
      const need = needOf(unit.wave.length > 0 ? unit.wave : unit.volumes, this.#cluster);
      // Who may keep slots stands apart from who may not.
      const kind = unit.wave.length === 0 ? 'held ' : unit.volumes.length > 1 ? 'gang ' : '';
      const key = kind + need.key;
      let lane = this.#lanes.get(key);
      if (lane === undefined) {
        lane = new Lane(key, need);
        this.#lanes.set(key, lane);
        for (const node of need.nodes) this.#nodeLine(node).add(lane);
      }
      lane.add(unit);
      for (const node of need.nodes) this.#nodeLine(node).touch();
    }
  }

  #nodeLine(node: Gauge): NodeLine {
    let line = this.#nodeLines.get(node);
    if (line === undefined) this.#nodeLines.set(node, (line = new NodeLine(node)));
    return line;
  }

  #leaveLane(unit: Unit): void {
    const lane = unit.place?.lane;
    if (lane === undefined) return;
    lane.remove(unit);
    if (lane.isEmpty) this.#lanes.delete(lane.key);
    for (const node of lane.need.nodes) {
      const line = this.#nodeLine(node);
      if (!lane.isEmpty) {
        line.touch();
        continue;
      }
      line.delete(lane);
      if (line.isEmpty) this.#nodeLines.delete(node);
    }
  }

  #forget(unit: Unit): void {
    this.#leaveLane(unit);
    this.#units.delete(unit);
    if (unit.gang === undefined || unit.rest !== undefined) return;
    const gathering = this.#gangs.get(unit.gang);
    if (gathering?.unit !== unit) return;
    this.#gangs.delete(unit.gang);
    this.#gathering.delete(gathering);
  }
}
