// Why each volume of a node waits, for people on that node. Who describes the queue looks at
// everybody who waits, so it is done now and then for all nodes together.

import type { SlotWait } from '#proto/slot-messages.ts';
import { WAITS_MAX } from '#proto/wire-limits.ts';
import { describeQueue, type QueueEntry } from './describe-queue.ts';
import type { SlotDesk } from './slot-desk.ts';

/** With 10,000 that wait it takes 21 ms. */
const DESCRIBE_MS = 5_000;

export class WaitBoard {
  readonly #desk: SlotDesk;
  #entries: ReadonlyMap<string, QueueEntry> = new Map();
  #describedMs = Number.NEGATIVE_INFINITY;

  constructor(desk: SlotDesk) {
    this.#desk = desk;
  }

  /** The first of them, in the order of the queue. */
  waitsOf(node: string, nowMs: number): SlotWait[] {
    const { table } = this.#desk;
    const ids = [...table.waitingFor(node)];
    if (ids.length === 0) return [];
    if (nowMs - this.#describedMs >= DESCRIBE_MS) {
      const entries = describeQueue(table, nowMs, this.#desk.isWarming(nowMs));
      this.#entries = new Map(entries.map(entry => [entry.id, entry]));
      this.#describedMs = nowMs;
    }
    const own = ids.flatMap(id => this.#entries.get(id) ?? []);
    const first = own.sort((one, other) => one.place - other.place).slice(0, WAITS_MAX);
    return first.map(({ id, place, cause }) => ({
      id,
      place,
      cause: cause.kind,
      limit: 'limit' in cause ? cause.limit : undefined,
    }));
  }
}
