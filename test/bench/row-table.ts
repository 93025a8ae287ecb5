// The rows of the whole: which source, and what is done with it. A new row is a line here; how its
// operation runs is in cycle.ts, what it has to show in target-table.ts.

import { SOURCE_NAMES } from './source-table.ts';

export const OPERATIONS = Object.freeze({
  first: 'first backup',
  unchanged: 'second backup, nothing changed',
  changed: 'backup, 1 % changed',
  restore: 'restore',
  delta: 'restore over a tree of which 1 % is different',
  last: 'restore of the last generation',
});
export type OperationKey = keyof typeof OPERATIONS;
export type Operation = (typeof OPERATIONS)[OperationKey];

export interface Row {
  /** What `--only` takes. */
  readonly name: string;
  readonly source: string;
  readonly operation: Operation;
  /** Runs only when it is named. */
  readonly isExtra: boolean;
}

const ROWS_OF: readonly (readonly [source: string, operations: readonly OperationKey[]])[] = [
  ['large', ['first', 'unchanged', 'restore']],
  ['small', ['first', 'unchanged', 'changed', 'restore', 'delta']],
  ['image', ['changed', 'delta']],
  ['generations', ['last']],
  ['node_modules', ['first', 'unchanged', 'restore']],
  ['ten-million', ['first', 'unchanged']],
];
const EXTRA_SOURCE = 'ten-million';

export const ROWS: readonly Row[] = Object.freeze(
  ROWS_OF.flatMap(([source, operations]) =>
    operations.map(key => ({
      name: `${source}-${key}`,
      source,
      operation: OPERATIONS[key],
      isExtra: source === EXTRA_SOURCE,
    })),
  ),
);

/** Names of rows, and of sources for all of their rows; `whole` is every row that is not extra. */
export const ROW_NAMES: readonly string[] = Object.freeze([
  'whole',
  ...SOURCE_NAMES,
  ...ROWS.map(({ name }) => name),
]);

export function rowsNamed(names: readonly string[]): Row[] {
  return ROWS.filter(
    ({ name, source, isExtra }) =>
      names.includes(name) || names.includes(source) || (names.includes('whole') && !isExtra),
  );
}
