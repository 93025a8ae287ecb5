// One table of several, for views that would have more of them than they can, or than pays.

import { IndexTableBuilder } from './table-builder.ts';
import type { IndexTable } from './table.ts';

/**
 * A table of all rows of `tables`, at least one, by the merge rule. They stay as they are, so that
 * both are in memory until the others are let go of.
 */
export function mergeTables(tables: readonly IndexTable[]): IndexTable {
  if (tables.length === 1) return tables[0];
  const builder = new IndexTableBuilder({
    hashBytes: tables[0].keyBytes - 1,
    expectedContents: tables.reduce((sum, table) => sum + table.count, 0),
  });
  for (const table of tables) builder.addTable(table);
  return builder.finish();
}
