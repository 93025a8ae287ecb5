// Decides which entry goes when room is needed: orphans first and completely; then data, which one
// is the policy's choice, but what a running plan will read only when it is further away than what
// it makes room for; then metadata; the index last, and for an index alone.

import type { Accounts } from './accounts.ts';
import { type EntryTable, NO_ENTRY, windowOf } from './entry-table.ts';
import type { EvictionPolicy, IsFree } from './eviction-policy.ts';
import { NEVER, type PlannedWindow } from './plan.ts';
import type { HasEntries, PlannedUses } from './planned-uses.ts';

export interface EvictorParts {
  readonly table: EntryTable;
  readonly accounts: Accounts;
  readonly plans: PlannedUses;
  /** One for each kind. */
  readonly policies: readonly EvictionPolicy[];
}

/** Whom room is made for. */
export interface Newcomer {
  readonly repository: number;
  readonly kind: number;
  readonly bytes: number;
  /** Bytes until a plan reads it. */
  readonly distance: number;
  /** Of a plan that reads more than the cache holds, and nobody's afterwards. */
  readonly isPassing: boolean;
  /** What all of the cache may have. */
  readonly limitBytes: number;
}

/**
 * Of data in passing nothing is pushed out for all but one entry in so many. A restore of 256 MiB
 * with a cache of 6 MiB stored each byte for nothing and took 1.3 times as long; what is there
 * stays, and is replaced in the end all the same.
 */
const PASSING_LET_IN_OF = 32;

/** Windows that are looked at to find an entry that may go. */
const WINDOWS_LOOKED_AT = 64;

export class Evictor {
  readonly #parts: EvictorParts;
  #passing = 0;

  constructor(parts: EvictorParts) {
    this.#parts = parts;
  }

  /** The entry that goes next for `newcomer`, or NO_ENTRY: then the newcomer is not kept. */
  victim(newcomer: Newcomer): number {
    const { accounts, plans } = this.#parts;
    if (newcomer.isPassing && ++this.#passing % PASSING_LET_IN_OF !== 0) return NO_ENTRY;
    const isOwnOnly = accounts.isAtCeiling(newcomer.repository, newcomer.bytes);
    const isFree = this.#isFreeFor(newcomer, isOwnOnly);
    const spent = plans.isEmpty ? NO_ENTRY : this.#spent(newcomer, isFree);
    if (spent !== NO_ENTRY) return spent;
    const isPlanned = plans.isEmpty ? () => false : (row: number) => this.#distanceOf(row) < NEVER;
    for (let kind = 0; kind <= newcomer.kind; kind++) {
      const unplanned = this.#parts.policies[kind].victim(row => isFree(row) && !isPlanned(row));
      if (unplanned !== NO_ENTRY) return unplanned;
      const furthest = plans.isEmpty ? NO_ENTRY : this.#furthest(newcomer, kind, isFree);
      if (furthest !== NO_ENTRY) return furthest;
    }
    return NO_ENTRY;
  }

  #isFreeFor({ repository }: Newcomer, isOwnOnly: boolean): IsFree {
    const { table, accounts } = this.#parts;
    return row => {
      const { readers, repository: owners, length } = table.columns;
      if (readers[row] > 0) return false;
      if (owners[row] === repository) return true;
      return !isOwnOnly && accounts.isAboveFloor(owners[row], length[row]);
    };
  }

  /**
   * What a restore of more than fits is done with, and the others that run beside it are, too:
   * where most entries are somebody's to come, a policy would have to look far to find it.
   */
  #spent({ limitBytes }: Newcomer, isFree: IsFree): number {
    let looks = 0;
    for (const window of this.#parts.plans.spent(limitBytes, this.#hasEntries)) {
      if (++looks > WINDOWS_LOOKED_AT) return NO_ENTRY;
      const row = this.#rowIn(window, 0, isFree);
      if (row !== NO_ENTRY) return row;
    }
    return NO_ENTRY;
  }

  /** What is read last of all, if that is after the newcomer or the newcomer is worth more. */
  #furthest(newcomer: Newcomer, kind: number, isFree: IsFree): number {
    let looks = 0;
    for (const window of this.#parts.plans.fromTheEnd(this.#hasEntries)) {
      const isFurther = kind < newcomer.kind || window.distance > newcomer.distance;
      if (!isFurther || ++looks > WINDOWS_LOOKED_AT) return NO_ENTRY;
      const row = this.#rowIn(window, kind, isFree);
      if (row !== NO_ENTRY) return row;
    }
    return NO_ENTRY;
  }

  readonly #hasEntries: HasEntries = (key, window) =>
    this.#parts.table.inWindow(key, window).next().done !== true;

  #rowIn({ key, window }: PlannedWindow, kind: number, isFree: IsFree): number {
    const { table } = this.#parts;
    for (const row of table.inWindow(key, window)) {
      if (table.columns.kind[row] === kind && isFree(row)) return row;
    }
    return NO_ENTRY;
  }

  #distanceOf(row: number): number {
    const { keyA, keyB, offset } = this.#parts.table.columns;
    return this.#parts.plans.distance({ a: keyA[row], b: keyB[row] }, windowOf(offset[row]));
  }
}
