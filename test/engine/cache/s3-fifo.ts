// S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP
// 2023): what comes goes through a small queue first, and only what is used there, or comes back
// soon after it went, gets into the main one. A scan goes through the small queue and harms
// nothing.

import { type EntryTable, NO_ENTRY } from '#engine/cache/entry-table.ts';
import {
  EntryQueue,
  type EvictionPolicy,
  type IsFree,
  PASSED_OVER_MAX,
} from '#engine/cache/eviction-policy.ts';

const SMALL_SHARE = 0.1;
const USES_MAX = 3;
const IN_MAIN = 4;
const GHOSTS_MIN = 1024;

export function s3Fifo(table: EntryTable): EvictionPolicy {
  return new S3Fifo(table);
}

class S3Fifo implements EvictionPolicy {
  readonly #table: EntryTable;
  readonly #small: EntryQueue;
  readonly #main: EntryQueue;
  /** Fingerprints of what went from the small queue; a later one takes an earlier one's place. */
  #ghosts = new Uint32Array(GHOSTS_MIN);

  constructor(table: EntryTable) {
    this.#table = table;
    this.#small = new EntryQueue(table);
    this.#main = new EntryQueue(table);
  }

  added(row: number): void {
    if (this.#wasHere(row)) this.#pushMain(row);
    else this.#small.push(row);
  }

  used(row: number): void {
    const { mark } = this.#table.columns;
    if ((mark[row] & USES_MAX) < USES_MAX) mark[row]++;
  }

  removed(row: number): void {
    this.#queueOf(row).remove(row);
  }

  victim(isFree: IsFree): number {
    let passedOver = 0;
    const looksMax = 2 * this.#small.count + (USES_MAX + 1) * this.#main.count + 1;
    for (let looks = 0; looks < looksMax && passedOver < PASSED_OVER_MAX; looks++) {
      const row = this.#oldest();
      if (row === NO_ENTRY) return NO_ENTRY;
      if (this.#isSpared(row)) continue;
      if (isFree(row)) {
        if (this.#queueOf(row) === this.#small) this.#remember(row);
        return row;
      }
      passedOver++;
      this.#queueOf(row).renew(row);
    }
    return NO_ENTRY;
  }

  #oldest(): number {
    const total = this.#small.bytes + this.#main.bytes;
    const isSmallDue = this.#small.bytes > total * SMALL_SHARE || this.#main.count === 0;
    const queue = isSmallDue && this.#small.count > 0 ? this.#small : this.#main;
    return queue.tail === NO_ENTRY ? this.#small.tail : queue.tail;
  }

  /** Moves an entry on that was used, and says whether it did. */
  #isSpared(row: number): boolean {
    const { mark } = this.#table.columns;
    const uses = mark[row] & USES_MAX;
    if (uses === 0) return false;
    if (this.#queueOf(row) === this.#small) {
      this.#small.remove(row);
      this.#pushMain(row);
      return true;
    }
    mark[row]--;
    this.#main.renew(row);
    return true;
  }

  #pushMain(row: number): void {
    this.#table.columns.mark[row] = IN_MAIN;
    this.#main.push(row);
  }

  #queueOf(row: number): EntryQueue {
    return (this.#table.columns.mark[row] & IN_MAIN) === 0 ? this.#small : this.#main;
  }

  #remember(row: number): void {
    if (this.#ghosts.length < this.#table.count) {
      const grown = new Uint32Array(this.#ghosts.length * 2);
      for (const mark of this.#ghosts) grown[mark & (grown.length - 1)] = mark;
      this.#ghosts = grown;
    }
    const print = this.#fingerprint(row);
    this.#ghosts[print & (this.#ghosts.length - 1)] = print;
  }

  #wasHere(row: number): boolean {
    const print = this.#fingerprint(row);
    return this.#ghosts[print & (this.#ghosts.length - 1)] === print;
  }

  #fingerprint(row: number): number {
    const { keyA, keyB, offset } = this.#table.columns;
    const mixed =
      Math.imul(keyA[row] ^ Math.imul(offset[row], 0x85eb_ca77), 0x9e37_79b1) ^ keyB[row];
    return ((mixed ^ (mixed >>> 13)) | 1) >>> 0;
  }
}
