// Aligned text: tables with a header, and lists of fields.

import { columnsOf } from './terminal-text.ts';

export interface Column<Row> {
  readonly title: string;
  readonly isRight?: boolean;
  /** Text that is safe to show (terminal-text.ts). */
  readonly text: (row: Row) => string;
}

/** A header line and one line a row. Columns are as wide as their widest cell. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return renderRows(columns, rows, true);
}

/** The same, and the header only `hasHeader`. */
export function renderRows<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  hasHeader: boolean,
): string {
  const cells = rows.map(row => columns.map(column => column.text(row)));
  if (hasHeader) cells.unshift(columns.map(column => column.title));
  const widths = columns.map((_, index) =>
    cells.reduce((width, row) => Math.max(width, columnsOf(row[index] ?? '')), 0),
  );
  const lines = cells.map(row =>
    row
      .map((cell, index) => padded(cell, widths[index] ?? 0, columns[index]?.isRight === true))
      .join('  ')
      .trimEnd(),
  );
  return lines.map(line => `${line}\n`).join('');
}

/** The same without columns that are empty in every row, which tell nothing. */
export function renderUsedColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string {
  const used = columns.filter(column => rows.some(row => column.text(row) !== ''));
  return renderTable(used, rows);
}

/** One line a field, the values below each other, everything indented by two. */
export function renderFields(fields: readonly (readonly [string, string])[]): string {
  const width = fields.reduce((widest, [name]) => Math.max(widest, name.length), 0);
  return fields.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('');
}

function padded(cell: string, width: number, isRight: boolean): string {
  const blank = ' '.repeat(Math.max(0, width - columnsOf(cell)));
  return isRight ? blank + cell : cell + blank;
}
