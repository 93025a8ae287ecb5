// Puts the entries of two directory tables together: of a name that both have the newer one counts.
// Both have to be in order; entries whose names nobody knows are left out, as they are never found.

import { EngineError } from '#engine/base/errors.ts';
import { equalBytes } from '#engine/base/bytes.ts';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import { STAMP_WORDS, StampBuilder } from '#engine/snapshot/source/change-record.ts';

const COMMA = ','.charCodeAt(0);

export interface StampedTable {
  readonly table: DirectoryTable;
  /** Of the entries that are no directories; undefined where nothing is known of them. */
  readonly stamps: Uint32Array | undefined;
}

/**
 * A table of the entries that are no directories. An entry of `newer` that does not stand in
 * `older` as well, to the byte, has a stamp that says nothing.
 */
export function mergeEntries(older: StampedTable, newer: DirectoryTable): StampedTable {
  const texts = new RangeJoiner();
  const stamps = new StampBuilder();
  const { directoryCount } = older.table;
  let a = nextNamed(older.table, directoryCount);
  let b = nextNamed(newer, newer.directoryCount);
  while (a < older.table.count || b < newer.count) {
    const order = compare(older.table, a, newer, b);
    const isOlder = order < 0 || (order === 0 && hasSameText(older.table, a, newer, b));
    if (isOlder) texts.add(older.table, a);
    else texts.add(newer, b);
    if (isOlder && older.stamps) stamps.addAgain(older.stamps, (a - directoryCount) * STAMP_WORDS);
    else stamps.addUnknown();
    if (order <= 0) a = nextNamed(older.table, a + 1);
    if (order >= 0) b = nextNamed(newer, b + 1);
  }
  const table = new DirectoryTable();
  readOwn(table, texts.finish());
  return { table, stamps: older.stamps && stamps.words() };
}

function nextNamed(table: DirectoryTable, from: number): number {
  let index = from;
  while (index < table.count && table.nameLengths[index] === 0) index++;
  return index;
}

/** What has come to its end sorts behind everything. */
function compare(a: DirectoryTable, indexA: number, b: DirectoryTable, indexB: number): number {
  if (indexA >= a.count) return 1;
  if (indexB >= b.count) return -1;
  return a.compareName(indexA, b.bytes, b.nameStarts[indexB], b.nameLengths[indexB]);
}

function hasSameText(
  a: DirectoryTable,
  indexA: number,
  b: DirectoryTable,
  indexB: number,
): boolean {
  return equalBytes(a.textsOf(indexA, indexA), b.textsOf(indexB, indexB));
}

/** Entries that follow each other in a table are copied as one. */
class RangeJoiner {
  readonly #parts: Uint8Array[] = [];
  #table: DirectoryTable | undefined;
  #first = 0;
  #next = 0;

  add(table: DirectoryTable, index: number): void {
    if (this.#table !== table || this.#next !== index) {
      this.#endRange();
      this.#table = table;
      this.#first = index;
    }
    this.#next = index + 1;
  }

  finish(): Uint8Array {
    this.#endRange();
    const commas = Math.max(0, this.#parts.length - 1);
    const bytes = this.#parts.reduce((sum, { length }) => sum + length, commas);
    const joined = new Uint8Array(bytes);
    let at = 0;
    for (const part of this.#parts) {
      if (at > 0) joined[at++] = COMMA;
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  #endRange(): void {
    if (this.#table) this.#parts.push(this.#table.textsOf(this.#first, this.#next - 1));
    this.#table = undefined;
  }
}

/** What this run has written; entries that were passed over here would be lost. */
export function readOwn(table: DirectoryTable, texts: Uint8Array): void {
  if (table.readEntries(texts)) return;
  throw new EngineError('INTERNAL', 'entries that were written cannot be read');
}
