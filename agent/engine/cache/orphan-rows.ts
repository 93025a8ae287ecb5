// Entries of orphans, some at a time, so that the thread stays free for others. Goes round the
// table, so that a purge of many looks at each row once.

import type { Accounts } from './accounts.ts';
import type { EntryTable } from './entry-table.ts';

const ROWS_MAX = 1024;
/** What the column of readers holds; one more does not fit. */
const READERS_MAX = 255;

export class OrphanRows {
  readonly #table: EntryTable;
  readonly #accounts: Accounts;
  #at = 0;

  constructor(table: EntryTable, accounts: Accounts) {
    this.#table = table;
    this.#accounts = accounts;
  }

  /** None when orphans have nothing more that could go now. */
  next(): number[] {
    if (this.#accounts.orphan() === undefined) return [];
    const rows: number[] = [];
    const { rowsUsed, columns } = this.#table;
    for (let looks = 0; looks < rowsUsed && rows.length < ROWS_MAX; looks++) {
      const row = this.#at;
      this.#at = row + 1 < rowsUsed ? row + 1 : 0;
      const isGoing =
        this.#table.isUsed(row) &&
        this.#accounts.get(columns.repository[row]).isOrphan &&
        columns.readers[row] < READERS_MAX;
      if (isGoing) rows.push(row);
    }
    return rows;
  }
}
