// What a repository's index says now: a large table from opening it, small ones from refreshes and
// from our own commits since, the merge rule among them, and the deletion watermark. With one
// table, the usual case, a look-up costs what the table's costs.
//
// A place is a number that names a row of one of the tables. It is valid for the view that gave it.

import { EngineError } from '#engine/base/errors.ts';
import { compareAge, type IndexEntry } from './entry.ts';
import { mergeTables } from './merge-tables.ts';
import { PackIds } from './pack-ids.ts';
import { IndexTable, prefixCodesFor, type SharedIndexTable, type TablePosition } from './table.ts';

/** With more tables than this, merging the small ones pays. */
const TABLES_BEFORE_MERGE = 8;
/** Keeps places within 31 bits. */
const TABLES_MAX = 16;
const ROW_BITS = 27;
const ROW_MASK = 2 ** ROW_BITS - 1;

export interface SharedIndexView {
  readonly tables: readonly SharedIndexTable[];
  readonly watermarkSeconds: number;
}

export class IndexView {
  readonly tables: readonly IndexTable[];
  /** Winning deletions at or before this time make a content non-existent; -1 for none. */
  readonly watermarkSeconds: number;
  /** The table of a view that has one. */
  readonly #only: IndexTable | undefined;

  /** @throws LIMIT_EXCEEDED for more than 16 tables; merge before it comes to that */
  constructor(tables: readonly IndexTable[], watermarkSeconds = -1) {
    if (tables.length > TABLES_MAX) {
      throw new EngineError('LIMIT_EXCEEDED', `an index view cannot have ${tables.length} tables`);
    }
    if (new Set(tables.map(table => table.keyBytes)).size > 1) {
      throw new EngineError('INTERNAL', 'the tables of an index view have different hash lengths');
    }
    this.tables = tables;
    this.watermarkSeconds = watermarkSeconds;
    this.#only = tables.length === 1 ? tables[0] : undefined;
  }

  /** The same view in another thread; nothing is copied. */
  static attach(shared: SharedIndexView): IndexView {
    const tables = shared.tables.map(table => IndexTable.attach(table));
    return new IndexView(tables, shared.watermarkSeconds);
  }

  share(): SharedIndexView {
    const tables = this.tables.map(table => table.share());
    return { tables, watermarkSeconds: this.watermarkSeconds };
  }

  /**
   * A view that knows `table` as well, and perhaps a newer watermark. Merges small tables first
   * when there are many, so that any number may be added.
   */
  withTable(table: IndexTable, watermarkSeconds = this.watermarkSeconds): IndexView {
    const { tables } = this.tables.length < TABLES_BEFORE_MERGE ? this : this.merged();
    return new IndexView([...tables, table], watermarkSeconds);
  }

  /** Whether look-ups would gain from merged() or from loading the index anew. */
  get shouldMerge(): boolean {
    return this.tables.length > TABLES_BEFORE_MERGE;
  }

  /**
   * The same content in two tables: the largest as it is, all others in one. Costs time and memory
   * by the size of the others.
   */
  merged(): IndexView {
    if (this.tables.length <= 2) return this;
    const bySize = this.tables.toSorted((a, b) => b.count - a.count);
    const [largest, ...others] = bySize;
    return new IndexView([largest, mergeTables(others)], this.watermarkSeconds);
  }

  /** Rows of all tables: an upper bound of the number of contents. */
  get rowCount(): number {
    return this.tables.reduce((sum, table) => sum + table.count, 0);
  }

  /**
   * The place of the entry that counts for a key, deleted or not, or -1. A content that is deleted
   * but not dropped can still be read.
   * @throws CONTENT_ID_INVALID
   */
  find(key: Uint8Array, keyOffset: number, keyLength: number): number {
    const place = this.findEvenDropped(key, keyOffset, keyLength);
    return place >= 0 && this.#isDropped(place) ? -1 : place;
  }

  /**
   * The same, dropped or not, for writers: an entry that is dropped still beats one that is older,
   * and what it beats does not exist.
   * @throws CONTENT_ID_INVALID
   */
  findEvenDropped(key: Uint8Array, keyOffset: number, keyLength: number): number {
    const only = this.#only;
    return only === undefined
      ? this.#findWinner(key, keyOffset, keyLength)
      : only.find(key, keyOffset, keyLength);
  }

  /**
   * The same as find(), but -1 for a deleted content too: a writer must store such a content again
   * (with a timestamp above that of the entry that findEvenDropped() gives).
   */
  findLive(key: Uint8Array, keyOffset: number, keyLength: number): number {
    const place = this.find(key, keyOffset, keyLength);
    return place >= 0 && this.isDeletedAt(place) ? -1 : place;
  }

  timestampAt(place: number): number {
    return this.#tableAt(place).timestampAt(place & ROW_MASK);
  }

  offsetAt(place: number): number {
    return this.#tableAt(place).offsetAt(place & ROW_MASK);
  }

  isDeletedAt(place: number): boolean {
    return this.#tableAt(place).isDeletedAt(place & ROW_MASK);
  }

  packedBytesAt(place: number): number {
    return this.#tableAt(place).packedBytesAt(place & ROW_MASK);
  }

  originalBytesAt(place: number): number {
    return this.#tableAt(place).originalBytesAt(place & ROW_MASK);
  }

  compressionAt(place: number): number {
    return this.#tableAt(place).compressionAt(place & ROW_MASK);
  }

  formatVersionAt(place: number): number {
    return this.#tableAt(place).formatVersionAt(place & ROW_MASK);
  }

  packIdAt(place: number): string {
    const table = this.#tableAt(place);
    return table.packId(table.packAt(place & ROW_MASK));
  }

  entryAt(place: number): IndexEntry {
    return this.#tableAt(place).entryAt(place & ROW_MASK);
  }

  /**
   * Places of all entries that count, in key order, or of those with one prefix byte. Deleted but
   * not dropped ones are among them.
   */
  *places(prefixByte?: number): Generator<number> {
    for (const code of prefixCodesFor(prefixByte)) {
      for (const place of this.#placesOf(code)) {
        if (!this.#isDropped(place)) yield place;
      }
    }
  }

  /** All entries as objects, in key order; see places(). */
  *entries(prefixByte?: number): Generator<IndexEntry> {
    for (const place of this.places(prefixByte)) yield this.entryAt(place);
  }

  /**
   * The packs that an entry refers to, deleted but not dropped entries included: whatever is not
   * among them may go once it is old enough (kopia-format.md 12.7).
   */
  referencedPacks(): PackIds {
    const isReferenced = this.tables.map(table => new Uint8Array(table.packs.count));
    for (const place of this.places()) {
      const table = this.#tableAt(place);
      isReferenced[place >>> ROW_BITS][table.packAt(place & ROW_MASK)] = 1;
    }
    const packs = new PackIds();
    this.tables.forEach((table, index) => {
      isReferenced[index].forEach((isNamed, pack) => {
        if (isNamed === 1) packs.internText(table.packId(pack));
      });
    });
    return packs;
  }

  #tableAt(place: number): IndexTable {
    return this.#only ?? this.tables[place >>> ROW_BITS];
  }

  #isDropped(place: number): boolean {
    return (
      this.watermarkSeconds >= 0 &&
      this.isDeletedAt(place) &&
      this.timestampAt(place) <= this.watermarkSeconds
    );
  }

  #findWinner(key: Uint8Array, keyOffset: number, keyLength: number): number {
    let winner = -1;
    for (let index = 0; index < this.tables.length; index++) {
      const row = this.tables[index].find(key, keyOffset, keyLength);
      if (row >= 0) winner = this.#better(winner, (index << ROW_BITS) | row);
    }
    return winner;
  }

  /** Which of two places with the same key counts (kopia-format.md 6.1); -1 is nobody. */
  #better(winner: number, place: number): number {
    if (winner < 0) return place;
    const age = compareAge(
      this.timestampAt(place),
      this.isDeletedAt(place),
      this.timestampAt(winner),
      this.isDeletedAt(winner),
    );
    return (age || this.#comparePacks(place, winner)) > 0 ? place : winner;
  }

  #comparePacks(a: number, b: number): number {
    const tableA = this.#tableAt(a);
    const tableB = this.#tableAt(b);
    const packB = tableB.packAt(b & ROW_MASK);
    return tableA.packs.compare(tableA.packAt(a & ROW_MASK), tableB.packs, packB);
  }

  /** The winners among the rows of one prefix, in key order, dropped ones included. */
  *#placesOf(prefixCode: number): Generator<number> {
    const lanes = this.tables
      .map((table, index) => new Lane(table, index, prefixCode))
      .filter(lane => lane.advance());
    while (lanes.length > 0) {
      let lowest: Lane[] = [];
      for (const lane of lanes) {
        const order = lowest.length === 0 ? -1 : Buffer.compare(lane.key, lowest[0].key);
        if (order < 0) lowest = [lane];
        else if (order === 0) lowest.push(lane);
      }
      let winner = -1;
      for (const lane of lowest) winner = this.#better(winner, lane.place);
      yield winner;
      for (const lane of lowest) if (!lane.advance()) lanes.splice(lanes.indexOf(lane), 1);
    }
  }
}

/** An iteration over the rows of one table and one prefix, with the key of where it stands. */
class Lane {
  readonly key: Uint8Array;
  readonly #table: IndexTable;
  readonly #index: number;
  readonly #prefixCode: number;
  readonly #position: TablePosition = { row: -1, bucket: 0 };

  constructor(table: IndexTable, index: number, prefixCode: number) {
    this.key = new Uint8Array(table.keyBytes);
    this.#table = table;
    this.#index = index;
    this.#prefixCode = prefixCode;
  }

  get place(): number {
    return (this.#index << ROW_BITS) | this.#position.row;
  }

  advance(): boolean {
    this.#position.row++;
    if (!this.#table.seek(this.#position, this.#prefixCode)) return false;
    this.#table.copyKey(this.#position, this.key, 0);
    return true;
  }
}
