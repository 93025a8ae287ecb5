// An agent with the real bookkeeping of slots (HeldSlots), moves that take their time, and a clock
// of its own that runs a little fast or slow. It can be killed; what it moved is then to be done
// again.

import { HeldSlots } from '#agent/coordinator/held-slots.ts';
import {
  REPORT_MS,
  type SlotAnswer,
  type SlotHold,
  type SlotReport,
} from '#proto/slot-messages.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { SimulatedVolume } from './workload.ts';

export interface AgentEvents {
  readonly send: (agent: SimulatedAgent, report: SlotReport) => void;
  /** False when another node has the move (the resource version of its custom resource says so). */
  readonly start: (agent: SimulatedAgent, hold: SlotHold) => boolean;
  readonly end: (agent: SimulatedAgent, volume: SimulatedVolume) => void;
}

export interface AgentFacts {
  readonly node: string;
  readonly slotsMax: number;
  readonly leaseMs: number;
  /** Milliseconds of its clock for each real one, and where it began. */
  readonly clockRate: number;
  readonly clockOffsetMs: number;
}

export class SimulatedAgent {
  readonly facts: AgentFacts;
  readonly #time: VirtualTime;
  readonly #events: AgentEvents;
  /** What this node may have to move, by id. */
  readonly #volumes = new Map<string, SimulatedVolume>();
  #session = 0;
  #slots: HeldSlots | undefined;

  constructor(facts: AgentFacts, time: VirtualTime, events: AgentEvents) {
    this.facts = facts;
    this.#time = time;
    this.#events = events;
    this.#begin();
  }

  /** Undefined while it is dead. */
  get slots(): HeldSlots | undefined {
    return this.#slots;
  }

  get clockMs(): number {
    return this.facts.clockOffsetMs + this.#time.nowMs * this.facts.clockRate;
  }

  /** Moves that run now, with whether their slot is sure. */
  get holds(): SlotHold[] {
    this.#slots?.lapse(this.clockMs);
    return [...(this.#slots?.holds ?? [])];
  }

  waitsFor(id: string): boolean {
    return this.#volumes.has(id) && !this.holds.some(hold => hold.id === id);
  }

  give(volume: SimulatedVolume): void {
    this.#volumes.set(volume.id, volume);
    if (this.#slots === undefined) return;
    this.#want(volume, this.#slots);
    this.#report();
  }

  /** Another node has done it, or does it. */
  take(id: string): void {
    this.#volumes.delete(id);
    this.#slots?.done(id);
  }

  hear(answer: SlotAnswer): void {
    const heard = this.#slots?.hear(answer, this.clockMs);
    if (heard === undefined) return;
    for (const id of heard.started) this.#run(id);
    for (const id of heard.revoked) this.take(id);
    if (heard.mustReport || heard.revoked.length > 0) this.#report();
  }

  kill(deadMs: number): void {
    if (this.#slots === undefined) return;
    this.#slots = undefined;
    this.#time.after(deadMs, () => this.#begin());
  }

  #begin(): void {
    const { node, slotsMax, leaseMs } = this.facts;
    const session = ++this.#session;
    const slots = new HeldSlots({ node, slotsMax, leaseMs, session, nowMs: this.clockMs });
    this.#slots = slots;
    for (const volume of this.#volumes.values()) this.#want(volume, slots);
    this.#beat(session);
  }

  #beat(session: number): void {
    if (this.#slots === undefined || session !== this.#session) return;
    for (const id of this.#slots.startAlone(this.clockMs)) this.#run(id);
    this.#report();
    this.#time.after(REPORT_MS, () => this.#beat(session));
  }

  #want(volume: SimulatedVolume, slots: HeldSlots): void {
    const { id, namespace, pod, storageClass, location, gang, priority, askedAtMs } = volume;
    const waitedMs = this.#time.nowMs - askedAtMs;
    const wish = { id, namespace, pod, storageClass, location, gang, priority, waitedMs };
    slots.want(wish, this.clockMs);
  }

  #run(id: string): void {
    const slots = this.#slots;
    const volume = this.#volumes.get(id);
    const hold = this.holds.find(other => other.id === id);
    if (slots === undefined || volume === undefined || hold === undefined) return;
    if (!this.#events.start(this, hold)) {
      this.take(id);
      return;
    }
    const session = this.#session;
    this.#time.after(volume.durationMs, () => {
      const isRunning = session === this.#session && this.#slots === slots;
      if (!isRunning || !this.holds.some(other => other === hold || other.id === id)) return;
      this.take(id);
      this.#events.end(this, volume);
      this.#report();
    });
  }

  #report(): void {
    const report = this.#slots?.report(this.clockMs);
    if (report !== undefined) this.#events.send(this, report);
  }
}
