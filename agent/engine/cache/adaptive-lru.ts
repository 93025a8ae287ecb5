// Least recently used goes first, unless that is seen to keep nothing: whoever reads more than fits
// again and again finds, with LRU, nothing of it. Then what is there stays, and what comes goes
// first (DIP; Qureshi, Jaleel, Patt, Steely, Emer: "Adaptive Insertion Policies for High
// Performance Caching", ISCA 2007). Which of the two is better is seen on some thousands of
// entries, for which both are played through without bytes (Waldspurger, Saemundsson, Ahmad, Park:
// "Cache Modeling and Optimization using Miniature Simulations", USENIX ATC 2017).

import { type EntryTable, NO_ENTRY } from './entry-table.ts';
import {
  EntryQueue,
  type EvictionPolicy,
  type IsFree,
  PASSED_OVER_MAX,
} from './eviction-policy.ts';

/** Of so many entries all are played through, of more a half, a quarter, … */
const PLAYED_MAX = 8192;
const PRINTS = 2 ** 32;
const KEPT = 0;
const GUEST = 1;
/** Of those that are not let in one is, so that what is there gets replaced in the end. */
const LET_IN_OF = 32;
/** What counts of earlier misses, once as much was missed as fits. */
const EARLIER_SHARE = 0.5;

export function adaptiveLru(table: EntryTable): EvictionPolicy {
  return new AdaptiveLru(table);
}

class AdaptiveLru implements EvictionPolicy {
  readonly #table: EntryTable;
  readonly #kept: EntryQueue;
  /** What came while what is there should stay. */
  readonly #guests: EntryQueue;
  readonly #letting = new PlayedCache({ isLettingIn: true });
  readonly #refusing = new PlayedCache({ isLettingIn: false });
  /** Entries with a fingerprint below it are played through. */
  #printsPlayed = PRINTS;
  #isFull = false;
  #comers = 0;

  constructor(table: EntryTable) {
    this.#table = table;
    this.#kept = new EntryQueue(table);
    this.#guests = new EntryQueue(table);
  }

  added(row: number): void {
    this.#play(row);
    const isRefusing = this.#isFull && this.#refusing.missedBytes < this.#letting.missedBytes;
    const isGuest = isRefusing && ++this.#comers % LET_IN_OF !== 0;
    this.#table.columns.mark[row] = isGuest ? GUEST : KEPT;
    this.#queueOf(row).push(row);
  }

  used(row: number): void {
    this.#play(row);
    this.#queueOf(row).remove(row);
    this.#table.columns.mark[row] = KEPT;
    this.#kept.push(row);
  }

  removed(row: number): void {
    this.#queueOf(row).remove(row);
  }

  victim(isFree: IsFree): number {
    this.#isFull = true;
    const guest = firstFree(this.#guests, isFree);
    return guest === NO_ENTRY ? firstFree(this.#kept, isFree) : guest;
  }

  #play(row: number): void {
    const { keyA, keyB, offset, length } = this.#table.columns;
    const print = Math.imul(keyA[row] ^ Math.imul(offset[row], 0x85eb_ca77), 0x9e37_79b1);
    const mixed = (print ^ keyB[row] ^ (print >>> 15)) >>> 0;
    if (mixed >= this.#printsPlayed) return;
    const share = this.#printsPlayed / PRINTS;
    const fitting = (this.#kept.bytes + this.#guests.bytes) * share;
    const played = [this.#letting, this.#refusing];
    const capacityBytes = this.#isFull ? fitting : Number.POSITIVE_INFINITY;
    for (const cache of played) cache.read(mixed, length[row], capacityBytes);
    if (this.#table.count * share > PLAYED_MAX) {
      this.#printsPlayed /= 2;
      for (const cache of played) cache.keepBelow(this.#printsPlayed);
    }
    if (played.every(cache => cache.missedBytes <= fitting)) return;
    for (const cache of played) cache.missedBytes *= EARLIER_SHARE;
  }

  #queueOf(row: number): EntryQueue {
    return this.#table.columns.mark[row] === GUEST ? this.#guests : this.#kept;
  }
}

/** The oldest that may go; what may not is passed over, and not looked at again soon. */
function firstFree(queue: EntryQueue, isFree: IsFree): number {
  const looksMax = Math.min(queue.count, PASSED_OVER_MAX);
  for (let looks = 0; looks < looksMax; looks++) {
    const row = queue.tail;
    if (isFree(row)) return row;
    queue.renew(row);
  }
  return NO_ENTRY;
}

/** What would have been missed, by names and lengths alone. */
class PlayedCache {
  readonly #isLettingIn: boolean;
  /** Length by name, the least recently used first. */
  readonly #entries = new Map<number, number>();
  #bytes = 0;
  #comers = 0;
  missedBytes = 0;

  constructor({ isLettingIn }: { readonly isLettingIn: boolean }) {
    this.#isLettingIn = isLettingIn;
  }

  read(name: number, length: number, capacityBytes: number): void {
    const known = this.#entries.get(name);
    if (known === undefined) this.missedBytes += length;
    else {
      this.#entries.delete(name);
      this.#bytes -= known;
    }
    const isFitting = this.#bytes + length <= capacityBytes;
    const isNew = known === undefined && !isFitting;
    if (isNew && !this.#isLettingIn && ++this.#comers % LET_IN_OF !== 0) return;
    this.#entries.set(name, length);
    this.#bytes += length;
    for (const [oldest, bytes] of this.#entries) {
      if (this.#bytes <= capacityBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= bytes;
    }
  }
  keepBelow(names: number): void {
    for (const [name, bytes] of this.#entries) {
      if (name < names) continue;
      this.#entries.delete(name);
      this.#bytes -= bytes;
    }
    this.missedBytes /= 2;
  }
}
