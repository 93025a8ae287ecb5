// An agent's side of the slots: what it waits for, what it holds, and until when that is sure.
// Pure: the caller sends reports, hands answers in and starts moves.
//
// The lease of all slots counts from the time when the newest report that the controller has heard
// was sent, by this node's own clock, and ends a tenth early: so it ends here before it ends there,
// however long a message took and however the clocks run. When it ends the moves go on, alone: that
// is said, because their slots may then be given to others.

import assert from 'node:assert/strict';
import type {
  SlotAnswer,
  SlotHold,
  SlotReport,
  SlotRequest,
  SlotVolume,
} from '#proto/slot-messages.ts';

export interface HeldSlotsOptions {
  readonly node: string;
  /** Greater than that of any earlier start on this node. */
  readonly session: number;
  readonly slotsMax: number;
  readonly leaseMs: number;
  /** Monotonic; so are all times that are handed in. */
  readonly nowMs: number;
}

export interface Wish extends SlotVolume {
  readonly priority: number;
  /** How long it had waited before this agent started. */
  readonly waitedMs: number;
}

export interface Heard {
  /** Ids of moves to be started. */
  readonly started: readonly string[];
  /** Ids of moves to be stopped. */
  readonly revoked: readonly string[];
  /** A report is due: there is a new controller, or a slot came that cannot be taken now. */
  readonly mustReport: boolean;
}

/** What is left of a lease for the sake of clocks that do not run alike. */
const LEASE_SHARE = 0.9;

interface Waiting {
  readonly request: SlotRequest;
  readonly sinceMs: number;
}

export class HeldSlots {
  readonly #options: HeldSlotsOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #holds = new Map<string, SlotHold>();
  #slotsMax: number;
  #epoch = 0;
  #sequence = 0;
  #number = 0;
  #answerNumber = 0;
  #leaseEndsAtMs = Number.NEGATIVE_INFINITY;
  /** When the controller was there for the last time, or this agent began. */
  #contactAtMs: number;

  constructor(options: HeldSlotsOptions) {
    this.#options = options;
    this.#slotsMax = options.slotsMax;
    this.#contactAtMs = options.nowMs;
  }

  set slotsMax(count: number) {
    this.#slotsMax = count;
  }

  /** Runs until its lease ends here. */
  get leaseEndsAtMs(): number {
    return this.#leaseEndsAtMs;
  }

  get holds(): Iterable<SlotHold> {
    return this.#holds.values();
  }

  /** Asks for a slot; to be followed by a report. */
  want({ waitedMs, ...wish }: Wish, nowMs: number): void {
    assert.ok(!this.#waiting.has(wish.id) && !this.#holds.has(wish.id), 'one wish for each move');
    const request = { ...wish, number: ++this.#number, waitedMs: 0 };
    this.#waiting.set(wish.id, { request, sinceMs: nowMs - waitedMs });
  }

  /** The move is over or not wanted any more; to be followed by a report. */
  done(id: string): void {
    this.#waiting.delete(id);
    this.#holds.delete(id);
  }

  report(nowMs: number): SlotReport {
    this.lapse(nowMs);
    const { node, session } = this.#options;
    this.#sequence += 1;
    const requests = [...this.#waiting.values()].map(({ request, sinceMs }) => ({
      ...request,
      waitedMs: nowMs - sinceMs,
    }));
    return {
      node,
      session,
      sequence: this.#sequence,
      epoch: this.#epoch,
      sentAtMs: nowMs,
      slotsMax: this.#slotsMax,
      requests,
      holds: [...this.#holds.values()],
    };
  }

  /** Undefined for an answer that is late, doubled or not meant for this start of the agent. */
  hear(answer: SlotAnswer, nowMs: number): Heard | undefined {
    this.lapse(nowMs);
    if (answer.session !== this.#options.session || answer.epoch < this.#epoch) return undefined;
    const isNewEpoch = answer.epoch > this.#epoch;
    if (!isNewEpoch && answer.number <= this.#answerNumber) return undefined;
    this.#epoch = answer.epoch;
    this.#answerNumber = answer.number;
    this.#contactAtMs = Math.max(this.#contactAtMs, answer.heard.sentAtMs);
    const leaseMs = this.#options.leaseMs * LEASE_SHARE;
    this.#leaseEndsAtMs = Math.max(this.#leaseEndsAtMs, answer.heard.sentAtMs + leaseMs);
    const { started, declined } = this.#start(answer, nowMs);
    const mustReport = isNewEpoch || declined.length > 0;
    return { started, revoked: this.#revoked(answer), mustReport };
  }

  /** Moves whose lease has ended go on alone. */
  lapse(nowMs: number): void {
    if (nowMs < this.#leaseEndsAtMs) return;
    for (const [id, hold] of this.#holds) {
      if (!hold.isAlone) this.#holds.set(id, { ...hold, isAlone: true });
    }
  }

  /** There has been no controller for a lease time. */
  isAlone(nowMs: number): boolean {
    return nowMs >= this.#contactAtMs + this.#options.leaseMs && nowMs >= this.#leaseEndsAtMs;
  }

  /** Without a controller for a lease time: starts what waits, as far as this node may. */
  startAlone(nowMs: number): string[] {
    this.lapse(nowMs);
    if (!this.isAlone(nowMs)) return [];
    const count = Math.max(0, this.#slotsMax - this.#holds.size);
    const started = [...this.#waiting.values()].slice(0, count);
    for (const { request } of started) this.#begin(request, undefined, true);
    return started.map(({ request }) => request.id);
  }

  /**
   * What comes while moves that began alone fill the node is asked for again, and so given back.
   */
  #start({ grants }: SlotAnswer, nowMs: number): { started: string[]; declined: string[] } {
    const started: string[] = [];
    const declined: string[] = [];
    for (const { id, number, epoch, serial } of grants) {
      const waiting = this.#waiting.get(id);
      if (waiting?.request.number !== number || nowMs >= this.#leaseEndsAtMs) continue;
      if (this.#holds.size < this.#slotsMax) {
        this.#begin(waiting.request, { epoch, serial }, false);
        started.push(id);
      } else {
        const request = { ...waiting.request, number: ++this.#number };
        this.#waiting.set(id, { ...waiting, request });
        declined.push(id);
      }
    }
    return { started, declined };
  }

  #begin(request: SlotRequest, grant: SlotHold['grant'], isAlone: boolean): void {
    const { id, namespace, pod, storageClass, location, gang, number } = request;
    this.#waiting.delete(id);
    const volume = { id, namespace, pod, storageClass, location, gang };
    this.#holds.set(id, { ...volume, number, grant, isAlone });
  }

  #revoked({ revoked }: SlotAnswer): string[] {
    return revoked.filter(id => this.#holds.has(id));
  }
}
