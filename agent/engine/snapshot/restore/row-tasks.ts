// Rows and chunks of a section as inputs of tasks.

/** Rows from 0 to `count` that are wanted, in portions. */
export function* rowTasks(
  count: number,
  size: number,
  isWanted: (row: number) => boolean,
): Generator<Uint32Array> {
  let rows: number[] = [];
  for (let row = 0; row < count; row++) {
    if (!isWanted(row)) continue;
    if (rows.push(row) < size) continue;
    yield Uint32Array.from(rows);
    rows = [];
  }
  if (rows.length > 0) yield Uint32Array.from(rows);
}
