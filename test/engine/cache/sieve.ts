// SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi: "SIEVE is Simpler than LRU", NSDI 2024): entries stay
// in the order in which they came; a hand goes from the oldest to the newest, spares what was used
// since it last came by, and takes the first that was not.

import { type EntryTable, NO_ENTRY } from '#engine/cache/entry-table.ts';
import {
  EntryQueue,
  type EvictionPolicy,
  type IsFree,
  PASSED_OVER_MAX,
} from '#engine/cache/eviction-policy.ts';

export function sieve(table: EntryTable): EvictionPolicy {
  return new Sieve(table);
}

class Sieve implements EvictionPolicy {
  readonly #table: EntryTable;
  readonly #queue: EntryQueue;
  #hand = NO_ENTRY;

  constructor(table: EntryTable) {
    this.#table = table;
    this.#queue = new EntryQueue(table);
  }

  added(row: number): void {
    this.#queue.push(row);
  }

  used(row: number): void {
    this.#table.columns.mark[row] = 1;
  }

  removed(row: number): void {
    if (this.#hand === row) this.#hand = this.#table.columns.before[row];
    this.#queue.remove(row);
  }

  victim(isFree: IsFree): number {
    const { mark } = this.#table.columns;
    let passedOver = 0;
    // Each entry is spared once at most, so two rounds find what there is.
    for (let looks = 2 * this.#queue.count; looks > 0; looks--) {
      if (this.#hand === NO_ENTRY) this.#hand = this.#queue.tail;
      const row = this.#hand;
      if (mark[row] === 0 && isFree(row)) return row;
      if (mark[row] === 0 && ++passedOver > PASSED_OVER_MAX) return NO_ENTRY;
      mark[row] = 0;
      this.#hand = this.#table.columns.before[row];
    }
    return NO_ENTRY;
  }
}
