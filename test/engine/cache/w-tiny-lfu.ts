// W-TinyLFU (Einziger, Friedman, Manes: "TinyLFU: A Highly Efficient Cache Admission Policy", ACM
// Transactions on Storage 13, 2017): what comes goes through a window of a hundredth; on leaving it
// stays only if it was used more often than what would go for it. How often is kept in a sketch
// that forgets by half now and then.

import { type EntryTable, NO_ENTRY } from '#engine/cache/entry-table.ts';
import {
  EntryQueue,
  type EvictionPolicy,
  type IsFree,
  PASSED_OVER_MAX,
} from '#engine/cache/eviction-policy.ts';

const WINDOW_SHARE = 0.01;
const PROTECTED_SHARE = 0.8;
const WINDOW = 0;
const PROBATION = 1;
const PROTECTED = 2;

export function wTinyLfu(table: EntryTable): EvictionPolicy {
  return new WTinyLfu(table);
}

class WTinyLfu implements EvictionPolicy {
  readonly #table: EntryTable;
  readonly #queues: readonly EntryQueue[];
  readonly #sketch = new FrequencySketch();
  #isFull = false;

  constructor(table: EntryTable) {
    this.#table = table;
    this.#queues = [WINDOW, PROBATION, PROTECTED].map(() => new EntryQueue(table));
  }

  added(row: number): void {
    this.#sketch.note(this.#hashOf(row), this.#table.count);
    this.#move(row, WINDOW);
    if (!this.#isFull) this.#letIn();
  }

  used(row: number): void {
    this.#sketch.note(this.#hashOf(row), this.#table.count);
    const place = this.#table.columns.mark[row];
    this.#queues[place].remove(row);
    this.#move(row, place === WINDOW ? WINDOW : PROTECTED);
    const main = this.#queues[PROBATION].bytes + this.#queues[PROTECTED].bytes;
    while (this.#queues[PROTECTED].bytes > main * PROTECTED_SHARE) {
      const oldest = this.#queues[PROTECTED].tail;
      this.#queues[PROTECTED].remove(oldest);
      this.#move(oldest, PROBATION);
    }
  }

  removed(row: number): void {
    this.#queues[this.#table.columns.mark[row]].remove(row);
  }

  victim(isFree: IsFree): number {
    this.#isFull = true;
    const [window, probation, kept] = this.#queues;
    const total = window.bytes + probation.bytes + kept.bytes;
    const rival = this.#oldestOf(probation.count > 0 ? probation : kept, isFree);
    if (window.bytes <= total * WINDOW_SHARE && rival !== NO_ENTRY) return rival;
    const candidate = this.#oldestOf(window, isFree);
    if (candidate === NO_ENTRY || rival === NO_ENTRY) return Math.min(candidate, rival);
    if (this.#countOf(candidate) <= this.#countOf(rival)) return candidate;
    window.remove(candidate);
    this.#move(candidate, PROBATION);
    return rival;
  }

  /** While there is room, what leaves the window goes to the main part without being compared. */
  #letIn(): void {
    const [window, probation, kept] = this.#queues;
    const total = window.bytes + probation.bytes + kept.bytes;
    while (window.bytes > total * WINDOW_SHARE && window.count > 1) {
      const oldest = window.tail;
      window.remove(oldest);
      this.#move(oldest, PROBATION);
    }
  }

  #oldestOf(queue: EntryQueue, isFree: IsFree): number {
    let row = queue.tail;
    for (let looks = 0; row !== NO_ENTRY && looks < PASSED_OVER_MAX; looks++) {
      if (isFree(row)) return row;
      row = this.#table.columns.before[row];
    }
    return NO_ENTRY;
  }

  #move(row: number, place: number): void {
    this.#table.columns.mark[row] = place;
    this.#queues[place].push(row);
  }

  #countOf(row: number): number {
    return this.#sketch.countOf(this.#hashOf(row));
  }

  #hashOf(row: number): number {
    const { keyA, keyB, offset } = this.#table.columns;
    return Math.imul(keyA[row] ^ Math.imul(offset[row], 0x85eb_ca77), 0x9e37_79b1) ^ keyB[row];
  }
}

const COLUMNS = 2 ** 16;
const SEEDS = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f];
const COUNT_MAX = 15;
/** Uses until everything is forgotten by half, for each entry. */
const SAMPLE = 10;

class FrequencySketch {
  readonly #counts = SEEDS.map(() => new Uint8Array(COLUMNS));
  #noted = 0;

  note(hash: number, entryCount: number): void {
    for (const [index, counts] of this.#counts.entries()) {
      const column = columnOf(hash, index);
      if (counts[column] < COUNT_MAX) counts[column]++;
    }
    if (++this.#noted < SAMPLE * Math.max(1000, entryCount)) return;
    this.#noted = 0;
    for (const counts of this.#counts) counts.forEach((count, at) => (counts[at] = count >> 1));
  }

  countOf(hash: number): number {
    return Math.min(...this.#counts.map((counts, index) => counts[columnOf(hash, index)]));
  }
}

function columnOf(hash: number, index: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), SEEDS[index]);
  return (mixed ^ (mixed >>> 13)) >>> 16;
}
