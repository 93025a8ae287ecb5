// The slot table: who holds a slot, who waits for one, and the decision. Pure: time is handed in,
// nothing is sent and nothing is stored. Whether an agent is alive, and whether a message is the
// newest, is the business of slot-desk.ts; here a node joins, asks, holds, releases and leaves.

import assert from 'node:assert/strict';
import type { GrantReason, SlotGrant, SlotHold, SlotRequest } from '#proto/slot-messages.ts';
import { GaugeBoard, type GaugeUse } from './gauge-board.ts';
import { Gauge } from './gauge.ts';
import { Heap } from './heap.ts';
import type { Lane } from './lane.ts';
import type { Front } from './node-line.ts';
import { Round, type Outcome } from './round.ts';
import { requireLimits, WAITED_MS_MAX, WAITING_MAX, type SlotLimits } from './slot-limits.ts';
import { compareRanks, type Unit, type Volume } from './volume.ts';
import { WaitingLine } from './waiting-line.ts';

/** A slot that is taken. */
export interface Slot {
  readonly volume: Volume;
  readonly node: Gauge;
  /** What the node is told of it; undefined for a move that began without the controller. */
  readonly grant: SlotGrant | undefined;
  /** When it was taken, or heard of. */
  readonly sinceMs: number;
}

export class SlotTable {
  readonly #epoch: number;
  readonly #board: GaugeBoard;
  readonly #line: WaitingLine;
  readonly #waiting = new Map<string, Volume>();
  readonly #slots = new Map<string, Slot>();
  /** Ids of what each node waits for, and of what it holds. */
  readonly #waitingAt = new Map<string, Set<string>>();
  readonly #heldAt = new Map<string, Set<string>>();
  /** Used by one round after the other. */
  readonly #frontList: Front[] = [];
  #serial = 0;
  #round = 0;
  #revision = 0;

  constructor(epoch: number, limits: SlotLimits) {
    requireLimits(limits);
    this.#epoch = epoch;
    this.#board = new GaugeBoard(limits);
    this.#line = new WaitingLine(this.#board.cluster, limits);
  }

  get cluster(): Gauge {
    return this.#board.cluster;
  }

  /** Changes with everything that may let somebody begin, time excepted. */
  get revision(): number {
    return this.#revision;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get heldCount(): number {
    return this.#slots.size;
  }

  setLimits(limits: SlotLimits): void {
    requireLimits(limits);
    this.#revision += 1;
    this.#board.setLimits(limits);
    this.#line.setLimits(limits);
  }

  /** Adds a node, or changes how many moves it runs at once; 0 for one that is to be emptied. */
  join(node: string, slotsMax: number): void {
    const gauge = this.#board.nodes.get(node);
    if (gauge === undefined) {
      this.#board.nodes.set(node, new Gauge('node', node, slotsMax));
      this.#waitingAt.set(node, new Set());
      this.#heldAt.set(node, new Set());
    } else if (gauge.max !== slotsMax) {
      this.#revision += 1;
      gauge.max = slotsMax;
      this.#line.reviewNode(gauge);
    }
  }

  /** Takes back all slots of a node and forgets what it asked for. Gives the ids of the slots. */
  leave(node: string): string[] {
    const held = this.heldBy(node).map(slot => slot.volume.id);
    for (const id of held) this.release(node, id);
    for (const id of this.waitingFor(node)) this.withdraw(node, id);
    this.#board.nodes.delete(node);
    this.#waitingAt.delete(node);
    this.#heldAt.delete(node);
    return held;
  }

  /** `refused`: too many wait, ask again. `held`: it has a slot, of this node or of another. */
  ask(node: string, request: SlotRequest, nowMs: number): 'waiting' | 'held' | 'refused' {
    const gauge = this.#node(node);
    if (this.#slots.has(request.id)) return 'held';
    const known = this.#waiting.get(request.id);
    if (known !== undefined) {
      const isNew = !known.candidates.has(gauge);
      known.candidates.set(gauge, request.number);
      this.#waitingAt.get(node)?.add(request.id);
      if (isNew) {
        this.#revision += 1;
        this.#line.review(known);
      }
      return 'waiting';
    }
    if (this.#waiting.size >= WAITING_MAX) return 'refused';
    this.#revision += 1;
    const volume = this.#enter(request, request.priority, nowMs - clampWait(request.waitedMs));
    volume.candidates.set(gauge, request.number);
    this.#waiting.set(volume.id, volume);
    this.#waitingAt.get(node)?.add(volume.id);
    this.#line.add(volume, nowMs);
    return 'waiting';
  }

  /** The node does not want this slot any more. Without effect when it did not ask. */
  withdraw(node: string, id: string): void {
    const volume = this.#waiting.get(id);
    if (!this.#waitingAt.get(node)?.delete(id) || volume === undefined) return;
    this.#revision += 1;
    volume.candidates.delete(this.#node(node));
    if (volume.candidates.size > 0) {
      this.#line.review(volume);
      return;
    }
    this.#line.remove(volume);
    this.#waiting.delete(id);
    this.#board.leave(volume.gauges);
  }

  /**
   * A node says that it runs a move: with a slot of an earlier controller, or without one. It
   * counts from now on, be there room or not. `twin`: another node has the slot.
   */
  hold(node: string, hold: SlotHold, nowMs: number): 'held' | 'twin' {
    const known = this.#slots.get(hold.id);
    if (known !== undefined) return known.node.name === node ? 'held' : 'twin';
    for (const gauge of this.#waiting.get(hold.id)?.candidates.keys() ?? []) {
      this.withdraw(gauge.name, hold.id);
    }
    const gauge = this.#node(node);
    const volume = this.#enter(hold, 0, nowMs);
    const { number, grant: serial } = hold;
    const reason: GrantReason = { kind: 'turn', priority: 0 };
    const grant = serial && { ...serial, id: hold.id, node, number, reason };
    this.#take({ volume, node: gauge, grant, sinceMs: nowMs });
    return 'held';
  }

  /** Without effect when the node does not hold it. */
  release(node: string, id: string): void {
    const slot = this.#slots.get(id);
    if (slot?.node.name !== node) return;
    this.#revision += 1;
    this.#slots.delete(id);
    this.#heldAt.get(node)?.delete(id);
    for (const gauge of this.#gaugesOf(slot)) gauge.used -= 1;
    this.#board.leave(slot.volume.gauges);
  }

  slot(id: string): Slot | undefined {
    return this.#slots.get(id);
  }

  slots(): Iterable<Slot> {
    return this.#slots.values();
  }

  /** A volume that has none. */
  waiting(id: string): Volume | undefined {
    return this.#waiting.get(id);
  }

  heldBy(node: string): Slot[] {
    return [...(this.#heldAt.get(node) ?? [])].flatMap(id => this.#slots.get(id) ?? []);
  }

  /** Ids of what the node asked for and has not got. */
  waitingFor(node: string): string[] {
    return [...(this.#waitingAt.get(node) ?? [])];
  }

  uses(): GaugeUse[] {
    return this.#board.uses();
  }

  /** Gives away what is free. In the order of the queue; of a gang all members stand together. */
  decide(nowMs: number): SlotGrant[] {
    const all: SlotGrant[] = [];
    for (;;) {
      const { grants, isLast } = this.decideRound(nowMs);
      all.push(...grants);
      if (isLast) return all;
    }
  }

  /** Goes through the queue once. `isLast`: nobody is left who could begin. */
  decideRound(nowMs: number): { grants: SlotGrant[]; isLast: boolean } {
    this.#line.settle(nowMs);
    const grants: SlotGrant[] = [];
    const round = new Round(this.#round++, nowMs);
    const isThrough = this.#grantRound(round, grants);
    return { grants, isLast: isThrough && (grants.length === 0 || !round.mayKeepOther) };
  }

  /**
   * Everybody who waits in the order of the queue, with the limit that each waits for. Looks at
   * every request: for people and metrics, not for decisions.
   */
  review(nowMs: number): { unit: Unit; outcome: Outcome | undefined }[] {
    const round = new Round(this.#round++, nowMs);
    const closed = new Map<Lane, Outcome>();
    const units = [...this.#line.units()].sort((a, b) => compareRanks(a, b, nowMs));
    return units.map(unit => {
      const lane = unit.place?.lane;
      if (lane === undefined || unit.wave.length === 0) return { unit, outcome: undefined };
      const outcome = closed.get(lane) ?? round.consider(unit, lane);
      if (outcome.kind === 'waits') closed.set(lane, outcome);
      else {
        for (const { gauge, count } of outcome.stages.flat()) {
          gauge.keep(count, unit.id, round.number);
        }
      }
      return { unit, outcome };
    });
  }

  /** What holds after each call. */
  check(): void {
    const used = new Map<Gauge, number>();
    for (const slot of this.#slots.values()) {
      for (const gauge of this.#gaugesOf(slot)) used.set(gauge, (used.get(gauge) ?? 0) + 1);
      assert.ok(!this.#waiting.has(slot.volume.id), 'who has a slot does not wait');
    }
    for (const gauge of this.#board.gauges()) {
      assert.equal(gauge.used, used.get(gauge) ?? 0, `${gauge.kind} ${gauge.name} counts right`);
    }
    let waitingCount = 0;
    for (const unit of this.#line.units()) waitingCount += unit.volumes.length;
    assert.equal(waitingCount, this.#waiting.size, 'who waits is in one unit');
  }

  #node(node: string): Gauge {
    const gauge = this.#board.nodes.get(node);
    assert.ok(gauge, 'a node joins before it asks');
    return gauge;
  }

  #enter(facts: SlotRequest | SlotHold, priority: number, askedAtMs: number): Volume {
    const { id, namespace, pod, storageClass, location, gang, move, volumeName } = facts;
    const gauges = this.#board.enter(facts);
    const said = { id, namespace, pod, storageClass, location, gang, move, volumeName };
    return { ...said, gauges, priority, askedAtMs, candidates: new Map(), unit: undefined };
  }

  /** False when it has not come through the queue. */
  #grantRound(round: Round, grants: SlotGrant[]): boolean {
    const { cluster } = this.#board;
    const { number, nowMs } = round;
    const fronts = this.#fronts(round);
    while (cluster.room(number) > 0) {
      const entry = fronts.pop();
      if (entry === undefined) break;
      const { line, lane, unit } = entry;
      // A lane that stands at several nodes has been looked at, or has another first unit by now.
      if (lane.closedIn !== number && unit.place?.lane === lane) {
        const outcome = round.consider(unit, lane);
        if (outcome.kind === 'waits') lane.closedIn = number;
        else {
          const isWhole = unit.wave.length === unit.volumes.length;
          grants.push(...this.#grant(unit, outcome, round));
          // What is left of a gang goes before all that this round has not come to.
          if (!isWhole) return false;
        }
      }
      if (line.node.room(number) <= 0) continue;
      const next = line.next(nowMs, number);
      if (next !== undefined) fronts.push(next);
    }
    return true;
  }

  #fronts({ number, nowMs }: Round): Heap<Front> {
    const fronts = this.#frontList;
    fronts.length = 0;
    if (this.#board.cluster.room(number) > 0) {
      for (const line of this.#line.nodeLines()) {
        if (line.node.room(number) <= 0) continue;
        const front = line.first(nowMs, number);
        if (front !== undefined) fronts.push(front);
      }
    }
    return new Heap((a, b) => compareRanks(a.unit, b.unit, nowMs), fronts);
  }

  #grant(unit: Unit, outcome: Outcome & { kind: 'fits' }, round: Round): SlotGrant[] {
    const { wave } = unit;
    const reason = reasonOf(unit, round);
    this.#line.begin(unit, round.number);
    return wave.map(volume => {
      const node = outcome.nodeOf(volume);
      assert.ok(node, 'a volume that fits has a node');
      const number = volume.candidates.get(node);
      assert.ok(number !== undefined, 'only a node that asked is granted');
      const { id } = volume;
      const serial = ++this.#serial;
      const grant = { epoch: this.#epoch, serial, id, node: node.name, number, reason };
      for (const candidate of volume.candidates.keys()) {
        this.#waitingAt.get(candidate.name)?.delete(id);
      }
      this.#waiting.delete(id);
      this.#take({ volume, node, grant, sinceMs: round.nowMs });
      return grant;
    });
  }

  #take(slot: Slot): void {
    const { id } = slot.volume;
    assert.ok(!this.#slots.has(id), 'a slot is granted once');
    this.#slots.set(id, slot);
    this.#heldAt.get(slot.node.name)?.add(id);
    for (const gauge of this.#gaugesOf(slot)) gauge.used += 1;
  }

  #gaugesOf({ volume, node }: Slot): Gauge[] {
    const { storageClass, location } = volume.gauges;
    return [node, storageClass, location, this.#board.cluster];
  }
}

function reasonOf(unit: Unit, { number, nowMs }: Round): GrantReason {
  const { gang, rest, wave, volumes, priority } = unit;
  if (gang !== undefined && rest !== undefined) {
    if (rest.round !== number) rest.wave += 1;
    rest.round = number;
    rest.leftCount -= 1;
    return { kind: 'wave', gang, wave: rest.wave, count: 1, leftCount: rest.leftCount };
  }
  if (gang !== undefined && volumes.length > 1) {
    const count = wave.length;
    if (count === volumes.length) return { kind: 'gang', gang, count };
    return { kind: 'wave', gang, wave: 1, count, leftCount: volumes.length - count };
  }
  if (unit.overdueAtMs > nowMs) return { kind: 'turn', priority };
  return { kind: 'overdue', waitedMs: nowMs - volumes[0].askedAtMs };
}

function clampWait(waitedMs: number): number {
  return Math.max(0, Math.min(waitedMs, WAITED_MS_MAX));
}
