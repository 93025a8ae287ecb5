// Sees everything, whatever messages say: which moves really run, and with what right. What must
// never be is written down as a violation.

import { waitBoundMs, type SlotLimits } from '#controller/slots/slot-limits.ts';
import type { SlotTable } from '#controller/slots/slot-table.ts';
import { PRIORITY_MAX, type SlotGrant, type SlotHold } from '#proto/slot-messages.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import { LATE_MS_MAX } from './unreliable-network.ts';
import { DURATION_MS_MAX, type SimulatedVolume } from './workload.ts';

/** Of them, the first ones are told. */
const TOLD_MAX = 20;

/** Between the end of a lease and its being noticed. */
const TICKS_MS = 2_000;

export class Observer {
  readonly violations: string[] = [];
  readonly longestWaitMs: Record<string, number> = {};
  violationCount = 0;
  grantCount = 0;
  aloneCount = 0;
  readonly #limits: SlotLimits;
  readonly #agents: ReadonlyMap<string, SimulatedAgent>;
  readonly #volumes: ReadonlyMap<string, SimulatedVolume>;
  /** Gangs of which some member has had a slot. */
  readonly #begun = new Set<string>();
  readonly #serials = new Set<string>();
  /** Who is first in the queue and cannot begin, since when. */
  #first: { readonly id: string; readonly sinceMs: number } | undefined;
  readonly #idleSinceMs = new Map<string, number>();

  constructor(
    limits: SlotLimits,
    agents: ReadonlyMap<string, SimulatedAgent>,
    volumes: ReadonlyMap<string, SimulatedVolume>,
  ) {
    this.#limits = limits;
    this.#agents = agents;
    this.#volumes = volumes;
  }

  /** A move begins. Only now can a limit be exceeded: later, fewer run with a lease. */
  sawStart(agent: SimulatedAgent, hold: SlotHold, nowMs: number): void {
    const { id, grant } = hold;
    const volume = this.#volumes.get(id);
    if (volume !== undefined) this.#sawWait(volume, nowMs - volume.askedAtMs);
    if (agent.holds.length > agent.facts.slotsMax) {
      this.#violate(nowMs, `${agent.facts.node} runs more moves than it may`);
    }
    if (hold.isAlone || grant === undefined) {
      this.aloneCount += 1;
      return;
    }
    const serial = `${grant.epoch}.${grant.serial}`;
    if (this.#serials.has(serial)) this.#violate(nowMs, `grant ${serial} was used twice`);
    this.#serials.add(serial);
    this.#checkLimits(agent, hold, nowMs);
  }

  /** What one decision gave. */
  sawGrants(table: SlotTable, grants: readonly SlotGrant[], nowMs: number): void {
    this.grantCount += grants.length;
    const gangs = new Map<string, SlotGrant[]>();
    for (const grant of grants) {
      const { reason } = grant;
      if (reason.kind !== 'gang' && reason.kind !== 'wave') this.#checkAlone(grant, table, nowMs);
      if (reason.kind !== 'gang' && reason.kind !== 'wave') continue;
      if (reason.kind === 'wave' && reason.wave > 1) continue;
      gangs.set(reason.gang, [...(gangs.get(reason.gang) ?? []), grant]);
    }
    for (const [key, members] of gangs) this.#checkGang(key, members, table, nowMs);
  }

  /** Between decisions, now and then. */
  look(table: SlotTable, isGranting: boolean, nowMs: number): void {
    this.#checkLost(table, nowMs);
    this.#checkFirst(table, isGranting, nowMs);
  }

  /** Another controller knows nothing of what was before. */
  sawNewController(): void {
    this.#idleSinceMs.clear();
    this.#first = undefined;
  }

  sawUndone(count: number, nowMs: number): void {
    if (count > 0) this.#violate(nowMs, `${count} volumes were never moved`);
  }

  #checkLimits(agent: SimulatedAgent, { id }: SlotHold, nowMs: number): void {
    const counts = { cluster: 0, node: 0 };
    const classes = new Map<string, number>();
    const locations = new Map<string, number>();
    for (const other of this.#agents.values()) {
      for (const hold of other.holds) {
        if (hold.isAlone) continue;
        if (hold.id === id && other !== agent) this.#violate(nowMs, `${id} has two slots`);
        counts.cluster += 1;
        if (other === agent) counts.node += 1;
        classes.set(hold.storageClass, (classes.get(hold.storageClass) ?? 0) + 1);
        locations.set(hold.location, (locations.get(hold.location) ?? 0) + 1);
      }
    }
    const { clusterMax, storageClassMax, locationMax } = this.#limits;
    this.#atMost('the cluster', counts.cluster, clusterMax, nowMs);
    this.#atMost(agent.facts.node, counts.node, agent.facts.slotsMax, nowMs);
    for (const [name, max] of Object.entries(storageClassMax)) {
      this.#atMost(`class ${name}`, classes.get(name) ?? 0, max, nowMs);
    }
    for (const [name, max] of Object.entries(locationMax)) {
      this.#atMost(`location ${name}`, locations.get(name) ?? 0, max, nowMs);
    }
  }

  #atMost(name: string, count: number, max: number, nowMs: number): void {
    if (count > max) this.#violate(nowMs, `${name} runs ${count} moves with a slot, of ${max}`);
  }

  /** One member of a gang begins by itself: only when it is the only one that has asked. */
  #checkAlone({ id }: SlotGrant, table: SlotTable, nowMs: number): void {
    const key = this.#volumes.get(id)?.gang?.key;
    if (key === undefined || this.#begun.has(key)) return;
    this.#begun.add(key);
    const left = this.#waitingOf(key, table);
    if (left.length > 0) this.#violate(nowMs, `${key} began without ${left.join()}`);
  }

  #waitingOf(key: string, table: SlotTable): string[] {
    return [...this.#agents.keys()]
      .flatMap(node => table.waitingFor(node))
      .filter(id => this.#volumes.get(id)?.gang?.key === key);
  }

  #checkGang(key: string, members: SlotGrant[], table: SlotTable, nowMs: number): void {
    const [{ reason }] = members;
    if ('count' in reason && reason.count !== members.length) {
      this.#violate(nowMs, `${key} got ${members.length} slots and not ${reason.count}`);
    }
    this.#begun.add(key);
    const left = this.#waitingOf(key, table);
    if (reason.kind === 'gang' && left.length > 0) {
      this.#violate(nowMs, `${key} began without ${left.join()} and does not say so`);
    }
    if (reason.kind !== 'wave') return;
    for (const id of left) {
      if (this.#wouldFit(id, members))
        this.#violate(nowMs, `${key} began without ${id} for nothing`);
    }
  }

  /** Whether all limits would let it move together with these, were there nothing else. */
  #wouldFit(id: string, members: readonly SlotGrant[]): boolean {
    const volume = this.#volumes.get(id);
    if (volume === undefined || volume.nodes.length > 1) return false;
    const others = members.flatMap(member => this.#volumes.get(member.id) ?? []);
    const countOf = (isLike: (other: SimulatedVolume) => boolean) => others.filter(isLike).length;
    const [node] = volume.nodes;
    const { clusterMax, storageClassMax, locationMax } = this.#limits;
    const { storageClass, location } = volume;
    return (
      others.length < clusterMax &&
      countOf(other => other.nodes[0] === node) < (this.#agents.get(node)?.facts.slotsMax ?? 0) &&
      countOf(other => other.storageClass === storageClass) <
        (storageClassMax[storageClass] ?? clusterMax) &&
      countOf(other => other.location === location) < (locationMax[location] ?? clusterMax)
    );
  }

  /** A slot that is taken and that nobody uses ends with its lease. */
  #checkLost(table: SlotTable, nowMs: number): void {
    const idle = new Set<string>();
    for (const [node, agent] of this.#agents) {
      const held = new Set(agent.holds.map(({ id }) => id));
      const isAlive = agent.slots !== undefined;
      for (const { volume } of table.heldBy(node)) {
        // Granted, and on its way: it is told again with each answer.
        const isOnItsWay = isAlive && agent.waitsFor(volume.id);
        if (!held.has(volume.id) && !isOnItsWay) idle.add(`${volume.id} at ${node}`);
      }
    }
    for (const slot of this.#idleSinceMs.keys()) {
      if (!idle.has(slot)) this.#idleSinceMs.delete(slot);
    }
    for (const slot of idle) {
      const sinceMs = this.#idleSinceMs.get(slot) ?? nowMs;
      this.#idleSinceMs.set(slot, sinceMs);
      // The lease counts from the last message that came, and that may have been under way for
      // long.
      if (nowMs - sinceMs > this.#limits.leaseMs + LATE_MS_MAX + TICKS_MS) {
        this.#violate(nowMs, `the slot of ${slot} is lost`);
      }
    }
  }

  /** Who is first gets what becomes free, so it waits for one move at each of four limits. */
  #checkFirst(table: SlotTable, isGranting: boolean, nowMs: number): void {
    const entry = table.review(nowMs).find(({ outcome }) => outcome !== undefined);
    if (!isGranting || entry?.outcome?.kind !== 'waits') {
      this.#first = undefined;
      return;
    }
    const { id } = entry.unit;
    if (this.#first?.id !== id) this.#first = { id, sinceMs: nowMs };
    if (nowMs - this.#first.sinceMs > 4 * this.#longestMoveMs()) {
      this.#violate(nowMs, `${id} is first in the queue and starves`);
    }
  }

  #sawWait(volume: SimulatedVolume, waitedMs: number): void {
    const { priority } = volume;
    this.longestWaitMs[priority] = Math.max(this.longestWaitMs[priority] ?? 0, waitedMs);
    const aheadMs = (PRIORITY_MAX + 1 - priority) * this.#limits.ageingMs;
    const aheadCount = [...this.#volumes.values()].filter(
      other =>
        other.askedAtMs + (PRIORITY_MAX + 1 - other.priority) * this.#limits.ageingMs <=
        volume.askedAtMs + aheadMs,
    ).length;
    const boundMs = waitBoundMs({
      priority,
      ageingMs: this.#limits.ageingMs,
      longestMoveMs: this.#longestMoveMs(),
      aheadCount,
    });
    if (waitedMs > boundMs) this.#violate(volume.askedAtMs + waitedMs, `${volume.id} starved`);
  }

  /** With the time that it takes to tell. */
  #longestMoveMs(): number {
    return DURATION_MS_MAX + this.#limits.leaseMs;
  }

  #violate(nowMs: number, what: string): void {
    this.violationCount += 1;
    if (this.violations.length < TOLD_MAX) this.violations.push(`${nowMs} ms: ${what}`);
  }
}
