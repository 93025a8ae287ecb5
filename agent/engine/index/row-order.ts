// Sorting of IndexRows by key without moving them, and the merge rule among rows of equal key.
// A row becomes one double: prefix code and leading hash bits above, its number below; the typed
// array's own sort orders a million of those in a tenth of a second. Only rows that agree in those
// leading bits are compared in full.

import { compareAge, PREFIX_CODES } from './entry.ts';
import type { IndexRows } from './rows.ts';

const PREFIX_BITS = 5;
/** Longer runs of equal leading bits go to Array.sort: insertion sort is quadratic. */
const INSERTION_ROWS_MAX = 16;

/** Row numbers in ascending key order, one for each key: the winner by the merge rule. */
export function winningRows(rows: IndexRows): Uint32Array {
  const sorted = sortedRows(rows);
  let kept = 0;
  for (const row of sorted) {
    if (kept > 0 && compareKeys(rows, sorted[kept - 1], row) === 0) continue;
    sorted[kept++] = row;
  }
  return sorted.subarray(0, kept);
}

function sortedRows(rows: IndexRows): Uint32Array {
  const count = rows.count;
  const rowLimit = 2 ** Math.max(1, Math.ceil(Math.log2(count + 1)));
  // 53 bits are exact in a double; at most 32 of the hash are read.
  const hashBits = Math.min(32, 53 - PREFIX_BITS - Math.log2(rowLimit));
  const packed = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    packed[row] = leadOf(rows, row, hashBits) * rowLimit + row;
  }
  packed.sort();
  const order = new Uint32Array(count);
  let runStart = 0;
  let runLead = -1;
  for (let i = 0; i < count; i++) {
    const lead = Math.floor(packed[i] / rowLimit);
    order[i] = packed[i] - lead * rowLimit;
    if (lead === runLead) continue;
    sortRun(rows, order, runStart, i);
    runStart = i;
    runLead = lead;
  }
  sortRun(rows, order, runStart, count);
  return order;
}

function leadOf(rows: IndexRows, row: number, hashBits: number): number {
  const { keys, keyBytes } = rows;
  const at = row * keyBytes;
  let hash = 0;
  for (let i = 1; i <= 4; i++) hash = hash * 256 + (i < keyBytes ? keys[at + i] : 0);
  const shifted = Math.floor(hash / 2 ** (32 - hashBits));
  return PREFIX_CODES[keys[at]] * 2 ** hashBits + shifted;
}

function sortRun(rows: IndexRows, order: Uint32Array, from: number, to: number): void {
  if (to - from < 2) return;
  if (to - from > INSERTION_ROWS_MAX) {
    const run = Array.from(order.subarray(from, to));
    order.set(
      run.sort((a, b) => compareRows(rows, a, b)),
      from,
    );
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const row = order[i];
    let hole = i;
    while (hole > from && compareRows(rows, order[hole - 1], row) > 0) {
      order[hole] = order[hole - 1];
      hole--;
    }
    order[hole] = row;
  }
}

/** By key; among equal keys the winner comes first. */
function compareRows(rows: IndexRows, a: number, b: number): number {
  return compareKeys(rows, a, b) || -compareMerit(rows, a, b);
}

function compareKeys(rows: IndexRows, a: number, b: number): number {
  const { keys, keyBytes } = rows;
  const atA = a * keyBytes;
  const atB = b * keyBytes;
  for (let i = 0; i < keyBytes; i++) {
    const difference = keys[atA + i] - keys[atB + i];
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Positive when row a beats row b (kopia-format.md 6.1). */
function compareMerit(rows: IndexRows, a: number, b: number): number {
  const age = compareAge(
    rows.timestampAt(a),
    rows.isDeletedAt(a),
    rows.timestampAt(b),
    rows.isDeletedAt(b),
  );
  return age || rows.packs.compare(rows.packIndexAt(a), rows.packs, rows.packIndexAt(b));
}
