// What is in the cache: a row for each entry, as columns, and a hash from a window of a blob to the
// entries in it. An entry is a stretch of a blob that lies in one window and in one segment; rows
// of a window form a chain. Some 60 bytes an entry, measured in test/engine/cache.

import {
  allocateColumns,
  attachColumns,
  type Columns,
  grownColumns,
} from '#engine/base/columns.ts';
import type { BlobKey } from './blob-key.ts';
import type { Check } from './checksum.ts';

/** Entries never cross a multiple of this within their blob. */
export const WINDOW_BYTES = 1024 * 1024;
export const NO_ENTRY = 0xffff_ffff;
const ROWS_FIRST = 1024;

/** The order is that of value: what is first goes first. */
export const ENTRY_KINDS = Object.freeze(['data', 'metadata', 'index'] as const);
export type EntryKind = (typeof ENTRY_KINDS)[number];

const SCHEMA = Object.freeze({
  keyA: 'u32',
  keyB: 'u32',
  offset: 'u32',
  length: 'u32',
  checkA: 'u32',
  checkB: 'u32',
  /** The next entry of the chain, or of the free rows. */
  chain: 'u32',
  /** Neighbours in the queue of the policy. */
  before: 'u32',
  after: 'u32',
  segment: 'u16',
  slot: 'u16',
  block: 'u16',
  repository: 'u16',
  /** Index into ENTRY_KINDS. */
  kind: 'u8',
  flags: 'u8',
  /** The policy's own: which queue, how often used. */
  mark: 'u8',
  /** Reads under way, during which its blocks are nobody else's. */
  readers: 'u8',
} as const);

export const ENTRY_FLAG = Object.freeze({ used: 1, isLast: 2 });

export type EntryColumns = Columns<typeof SCHEMA>;

export interface NewEntry {
  readonly key: Pick<BlobKey, 'a' | 'b'>;
  readonly offset: number;
  readonly length: number;
  readonly check: Check;
  readonly segment: number;
  readonly slot: number;
  readonly block: number;
  readonly repository: number;
  readonly kind: number;
  readonly isLast: boolean;
}

export class EntryTable {
  columns: EntryColumns;
  #memory = allocateColumns(SCHEMA, ROWS_FIRST, { isShared: false });
  #buckets = new Uint32Array(ROWS_FIRST * 2).fill(NO_ENTRY);
  #rowsUsed = 0;
  #firstFree = NO_ENTRY;
  #count = 0;
  /** The last window that any blob has had. */
  #windowMax = 0;

  constructor() {
    this.columns = attachColumns(SCHEMA, this.#memory);
  }

  get count(): number {
    return this.#count;
  }

  /** Rows are below this number. */
  get rowsUsed(): number {
    return this.#rowsUsed;
  }

  get bookkeepingBytes(): number {
    return this.#memory.buffer.byteLength + this.#buckets.byteLength;
  }

  isUsed(row: number): boolean {
    return row < this.#rowsUsed && (this.columns.flags[row] & ENTRY_FLAG.used) !== 0;
  }

  add(entry: NewEntry): number {
    const row = this.prepare(entry);
    this.publish(row);
    return row;
  }

  /** A row for an entry that nobody finds yet; ends with `publish` or `recycle`. */
  prepare(entry: NewEntry): number {
    const row = this.#freeRow();
    const { columns } = this;
    columns.keyA[row] = entry.key.a;
    columns.keyB[row] = entry.key.b;
    columns.offset[row] = entry.offset;
    columns.length[row] = entry.length;
    columns.checkA[row] = entry.check.a;
    columns.checkB[row] = entry.check.b;
    columns.segment[row] = entry.segment;
    columns.slot[row] = entry.slot;
    columns.block[row] = entry.block;
    columns.repository[row] = entry.repository;
    columns.kind[row] = entry.kind;
    columns.flags[row] = entry.isLast ? ENTRY_FLAG.isLast : 0;
    columns.mark[row] = 0;
    columns.readers[row] = 0;
    return row;
  }

  publish(row: number): void {
    const { flags, offset } = this.columns;
    flags[row] |= ENTRY_FLAG.used;
    this.#count++;
    this.#windowMax = Math.max(this.#windowMax, windowOf(offset[row]));
    this.#link(row);
  }

  /** Takes an entry out; its row stays as it is until `recycle`. */
  remove(row: number): void {
    const { columns } = this;
    const bucket = this.#bucketOfRow(row);
    let at = this.#buckets[bucket];
    if (at === row) this.#buckets[bucket] = columns.chain[row];
    else {
      while (columns.chain[at] !== row) at = columns.chain[at];
      columns.chain[at] = columns.chain[row];
    }
    columns.flags[row] = 0;
    this.#count--;
  }

  /** Lets another entry have the row of one that was removed. */
  recycle(row: number): void {
    this.columns.chain[row] = this.#firstFree;
    this.#firstFree = row;
  }

  /** Entries that lie in a window of a blob, in no particular order. */
  *inWindow(key: Pick<BlobKey, 'a' | 'b'>, window: number): Generator<number> {
    const { keyA, keyB, offset, chain } = this.columns;
    let row = this.#buckets[this.#bucketOf(key.a, key.b, window)];
    while (row !== NO_ENTRY) {
      // Read before the yield, during which the row may be removed.
      const next = chain[row];
      const isHere = keyA[row] === key.a && keyB[row] === key.b && windowOf(offset[row]) === window;
      if (isHere) yield row;
      row = next;
    }
  }

  /** All entries of a blob. */
  *ofBlob(key: Pick<BlobKey, 'a' | 'b'>): Generator<number> {
    for (let window = 0; window <= this.#windowMax; window++) yield* this.inWindow(key, window);
  }

  *rows(): Generator<number> {
    for (let row = 0; row < this.#rowsUsed; row++) if (this.isUsed(row)) yield row;
  }

  #freeRow(): number {
    if (this.#firstFree !== NO_ENTRY) {
      const row = this.#firstFree;
      this.#firstFree = this.columns.chain[row];
      return row;
    }
    if (this.#rowsUsed === this.#memory.capacity) this.#grow();
    return this.#rowsUsed++;
  }

  /** By half at a time, which keeps what lies idle below a third. */
  #grow(): void {
    const capacity = Math.ceil(this.#memory.capacity * 1.5);
    this.#memory = grownColumns(SCHEMA, this.#memory, capacity);
    this.columns = attachColumns(SCHEMA, this.#memory);
    if (capacity <= this.#buckets.length) return;
    this.#buckets = new Uint32Array(this.#buckets.length * 2).fill(NO_ENTRY);
    for (const row of this.rows()) this.#link(row);
  }

  #link(row: number): void {
    const bucket = this.#bucketOfRow(row);
    this.columns.chain[row] = this.#buckets[bucket];
    this.#buckets[bucket] = row;
  }

  #bucketOfRow(row: number): number {
    const { keyA, keyB, offset } = this.columns;
    return this.#bucketOf(keyA[row], keyB[row], windowOf(offset[row]));
  }

  /** The key is a hash; the window is mixed in so that those of one blob spread. */
  #bucketOf(a: number, b: number, window: number): number {
    const mixed = (a ^ Math.imul(b + window, 0x9e37_79b1)) >>> 0;
    return ((mixed ^ (mixed >>> 15)) >>> 0) & (this.#buckets.length - 1);
  }
}

export function windowOf(offset: number): number {
  return Math.floor(offset / WINDOW_BYTES);
}
