// Which entry goes next, outside of plans. A policy sees entries come, be used and go, and names
// one that may go; it decides nothing about room. Queues lie in columns of the entry table.

import { type EntryColumns, type EntryTable, NO_ENTRY } from './entry-table.ts';

/** Whether an entry may go now: nobody reads it, and it is not held back for another reason. */
export type IsFree = (row: number) => boolean;

export interface EvictionPolicy {
  added(row: number): void;
  used(row: number): void;
  removed(row: number): void;
  /**
   * An entry that may go, or NO_ENTRY where looking at a number of them found none. It stays known
   * until `removed`.
   */
  victim(isFree: IsFree): number;
}

/** Entries that may not go are passed over this often before a policy gives up. */
export const PASSED_OVER_MAX = 256;

/** Entries in a row, linked through the columns `before` and `after`. */
export class EntryQueue {
  readonly #table: EntryTable;
  /** The entry that came last. */
  head = NO_ENTRY;
  /** The entry that came first. */
  tail = NO_ENTRY;
  count = 0;
  bytes = 0;

  constructor(table: EntryTable) {
    this.#table = table;
  }

  get columns(): EntryColumns {
    return this.#table.columns;
  }

  push(row: number): void {
    const { before, after, length } = this.columns;
    before[row] = NO_ENTRY;
    after[row] = this.head;
    if (this.head === NO_ENTRY) this.tail = row;
    else before[this.head] = row;
    this.head = row;
    this.count++;
    this.bytes += length[row];
  }

  remove(row: number): void {
    const { before, after, length } = this.columns;
    if (before[row] === NO_ENTRY) this.head = after[row];
    else after[before[row]] = after[row];
    if (after[row] === NO_ENTRY) this.tail = before[row];
    else before[after[row]] = before[row];
    this.count--;
    this.bytes -= length[row];
  }

  renew(row: number): void {
    if (this.head === row) return;
    this.remove(row);
    this.push(row);
  }

  /** From `row` one entry towards the newest, and from there to the oldest. */
  newerThan(row: number): number {
    const newer = this.columns.before[row];
    return newer === NO_ENTRY ? this.tail : newer;
  }
}
