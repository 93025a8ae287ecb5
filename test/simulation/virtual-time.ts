// Time that jumps from event to event; events of the same time happen in the order of their making.

import { Heap } from '#controller/slots/heap.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

export class VirtualTime {
  nowMs = 0;
  #order = 0;
  readonly #events = new Heap<Event>((a, b) => a.atMs - b.atMs || a.order - b.order);

  after(delayMs: number, act: () => void): void {
    this.#events.push({ atMs: this.nowMs + delayMs, order: this.#order++, act });
  }

  /** False when nothing is left to happen. */
  step(): boolean {
    const event = this.#events.pop();
    if (event === undefined) return false;
    this.nowMs = event.atMs;
    event.act();
    return true;
  }
}
