// Where the reports of agents come in: which of them is the newest, who is alive, what of the table
// follows from it, and what is answered. A new controller knows nothing, so it grants nothing until
// it has heard from every agent there is, or until every slot that its predecessor gave has ended.

import type {
  GrantSerial,
  SlotAnswer,
  SlotGrant,
  SlotHold,
  SlotReport,
} from '#proto/slot-messages.ts';
import type { SlotLimits } from './slot-limits.ts';
import { SlotTable } from './slot-table.ts';

export interface DeskOptions {
  /** Of the leader's Lease: grows with every change of leader. */
  readonly epoch: number;
  readonly limits: SlotLimits;
  /** Names of all nodes that run an agent; undefined when that is not known. */
  readonly nodes?: Iterable<string>;
  readonly nowMs: number;
}

interface Session {
  readonly node: string;
  readonly session: number;
  sequence: number;
  sentAtMs: number;
  heardAtMs: number;
}

/**
 * What became of a report. `stale`: older than one that was heard, nothing to answer. `deposed`:
 * the agent has heard from a later controller, so this one must stop.
 */
export type Hearing =
  | { readonly kind: 'heard'; readonly twins: readonly string[] }
  | { readonly kind: 'stale' | 'deposed' };

export class SlotDesk {
  readonly table: SlotTable;
  readonly #epoch: number;
  #limits: SlotLimits;
  readonly #warmUntilMs: number;
  /** Nodes that have not been heard from; undefined when only time tells. */
  #unheard: Set<string> | undefined;
  /** By the time when they were heard, the longest silence first. */
  readonly #sessions = new Map<string, Session>();
  readonly #revoked = new Map<string, string>();
  /** Of all answers together: a session that comes back after its lease must not begin anew. */
  #answerCount = 0;
  #isDeposed = false;

  constructor({ epoch, limits, nodes, nowMs }: DeskOptions) {
    this.table = new SlotTable(epoch, limits);
    this.#epoch = epoch;
    this.#limits = limits;
    this.#warmUntilMs = nowMs + limits.leaseMs;
    this.#unheard = nodes && new Set(nodes);
  }

  setLimits(limits: SlotLimits): void {
    this.table.setLimits(limits);
    this.#limits = limits;
  }

  isWarming(nowMs: number): boolean {
    if (nowMs >= this.#warmUntilMs) return false;
    return this.#unheard === undefined || this.#unheard.size > 0;
  }

  get isDeposed(): boolean {
    return this.#isDeposed;
  }

  hear(report: SlotReport, nowMs: number): Hearing {
    const { node, session, sequence, epoch, sentAtMs, slotsMax } = report;
    if (epoch > this.#epoch) this.#isDeposed = true;
    if (this.#isDeposed) return { kind: 'deposed' };
    const known = this.#sessions.get(node);
    if (known !== undefined && !isNewer(report, known)) return { kind: 'stale' };
    this.#sessions.delete(node);
    this.#sessions.set(node, { node, session, sequence, sentAtMs, heardAtMs: nowMs });
    // Only an agent that knows this epoch takes no more grants of the last one.
    if (epoch === this.#epoch) this.#unheard?.delete(node);
    this.table.join(node, Math.min(slotsMax, this.#limits.nodeMax ?? slotsMax));
    // Requests are counted anew after a start: an old grant must not answer a new request.
    if (known !== undefined && known.session !== session) this.#releaseUnheld(report);
    return { kind: 'heard', twins: this.#adopt(report, nowMs) };
  }

  /** Gives away what is free; nothing while warming. Each node that is named is to be answered. */
  decide(nowMs: number): SlotGrant[] {
    return this.#isDeposed || this.isWarming(nowMs) ? [] : this.table.decide(nowMs);
  }

  /** Ends the leases of agents that were silent for a lease time. Gives their nodes. */
  expire(nowMs: number): string[] {
    const lost: string[] = [];
    for (const { node, heardAtMs } of this.#sessions.values()) {
      if (heardAtMs + this.#limits.leaseMs > nowMs) break;
      lost.push(node);
    }
    for (const node of lost) {
      this.#sessions.delete(node);
      for (const id of this.table.leave(node)) this.#revoked.delete(id);
    }
    return lost;
  }

  /**
   * Asks the node to stop a move. Its slot stays taken until the node has let go of it.
   * @returns the node; undefined where nobody holds it, or the node was asked before
   */
  revoke(id: string): string | undefined {
    const slot = this.table.slot(id);
    if (slot === undefined || this.#revoked.has(id)) return undefined;
    this.#revoked.set(id, slot.node.name);
    return slot.node.name;
  }

  /** Undefined for a node that has not been heard from for a lease time. */
  answer(node: string, twins: readonly string[] = []): SlotAnswer | undefined {
    const session = this.#sessions.get(node);
    if (session === undefined || this.#isDeposed) return undefined;
    const { sequence, sentAtMs } = session;
    const number = ++this.#answerCount;
    const grants = this.table.heldBy(node).flatMap(slot => slot.grant ?? []);
    const revoked = [...this.#revoked].flatMap(([id, at]) => (at === node ? [id] : []));
    return {
      node,
      session: session.session,
      epoch: this.#epoch,
      number,
      heard: { sequence, sentAtMs },
      grants,
      revoked: [...revoked, ...twins],
    };
  }

  /** Makes the table what the report says. Gives the moves whose slot another node has. */
  #adopt({ node, requests, holds }: SlotReport, nowMs: number): string[] {
    const holdOf = new Map(holds.map(hold => [hold.id, hold]));
    const requestOf = new Map(requests.map(request => [request.id, request]));
    for (const { volume, grant } of this.table.heldBy(node)) {
      const { id } = volume;
      const isWanted = holdOf.has(id) || (grant && requestOf.get(id)?.number === grant.number);
      if (!isWanted) this.#release(node, id);
    }
    for (const id of this.table.waitingFor(node)) {
      if (!requestOf.has(id)) this.table.withdraw(node, id);
    }
    const twins = holds.filter(hold => this.#hold(node, hold, nowMs) === 'twin');
    for (const request of requests) this.table.ask(node, request, nowMs);
    return twins.map(hold => hold.id);
  }

  #releaseUnheld({ node, holds }: SlotReport): void {
    const serials = new Set(holds.map(({ grant }) => grant && serialOf(grant)));
    for (const { volume, grant } of this.table.heldBy(node)) {
      if (grant === undefined || !serials.has(serialOf(grant))) this.#release(node, volume.id);
    }
  }

  #release(node: string, id: string): void {
    this.table.release(node, id);
    this.#revoked.delete(id);
  }

  #hold(node: string, hold: SlotHold, nowMs: number): 'held' | 'twin' {
    const slot = this.table.slot(hold.id);
    // Begun anew since it was granted: what was granted is over.
    if (slot?.node.name === node && slot.grant && slot.grant.number !== hold.number) {
      this.#release(node, hold.id);
    }
    return this.table.hold(node, hold, nowMs);
  }
}

function isNewer(report: SlotReport, { session, sequence }: Session): boolean {
  if (report.session !== session) return report.session > session;
  return report.sequence > sequence;
}

function serialOf({ epoch, serial }: GrantSerial): string {
  return `${epoch}.${serial}`;
}
