// Ordering of a freshly loaded table, in place: rows into buckets by two passes of an American flag
// sort (256 streams, then within each 1/256 of the table, which fits the cache), then each bucket
// by itself, dropping all but the winner among rows of one key. A second copy of the rows would not
// fit the memory that opening a large repository may take.

import { compareAge } from './entry.ts';
import type { PackIds } from './pack-ids.ts';
import {
  KIND_SHIFT,
  OFFSET,
  PACK,
  PACK_MASK,
  TIMESTAMP,
  type TableColumns,
} from './table-layout.ts';

const COARSE_BITS = 8;
/** Buckets hold a handful of rows; should one hold many, insertion sort would be quadratic. */
const INSERTION_ROWS_MAX = 48;

/** What is needed to tell which of two rows comes first. */
export interface RowsInBuckets extends TableColumns {
  readonly packs: PackIds;
  /** By kind. */
  readonly prefixCodes: Uint8Array;
}

/** Rows being ordered: the columns and, while hash bytes 0 and 1 are not implied yet, those. */
export interface UnsortedRows extends TableColumns {
  readonly tops: Uint16Array;
}

/** Moves rows [0, count) into buckets; returns the first row of each, and `count` at last. */
export function sortIntoBuckets(
  rows: UnsortedRows,
  count: number,
  bucketBits: number,
): Uint32Array<SharedArrayBuffer> {
  const starts = new Uint32Array(new SharedArrayBuffer((2 ** bucketBits + 1) * 4));
  const coarse = new Uint32Array(2 ** COARSE_BITS + 1);
  permute(rows, coarse, { shift: 32 - COARSE_BITS, from: 0, to: count });
  const fineBuckets = 2 ** (bucketBits - COARSE_BITS);
  for (let part = 0; part < 2 ** COARSE_BITS; part++) {
    const fine = starts.subarray(part * fineBuckets, (part + 1) * fineBuckets + 1);
    permute(rows, fine, { shift: 32 - bucketBits, from: coarse[part], to: coarse[part + 1] });
  }
  return starts;
}

/**
 * Orders rows [from, to) by the bits of the hash's first 32 from `shift` upwards. `starts` has a
 * power of two elements and one more; they become the first row of each digit, and `to`.
 */
function permute(
  rows: UnsortedRows,
  starts: Uint32Array,
  { shift, from, to }: { shift: number; from: number; to: number },
): void {
  const { tops, tags } = rows;
  const digits = starts.length - 1;
  const mask = digits - 1;
  starts.fill(0);
  for (let row = from; row < to; row++) {
    starts[((((tops[row] << 16) | tags[row]) >>> shift) & mask) + 1]++;
  }
  starts[0] = from;
  for (let digit = 1; digit <= digits; digit++) starts[digit] += starts[digit - 1];
  const next = starts.slice(0, digits);
  for (let digit = 0; digit < digits; digit++) {
    const end = starts[digit + 1];
    for (let row = next[digit]; row < end;) {
      const wanted = (((tops[row] << 16) | tags[row]) >>> shift) & mask;
      if (wanted === digit) row++;
      else swapRows(rows, row, next[wanted]++);
    }
  }
}

function swapRows(rows: UnsortedRows, a: number, b: number): void {
  const { words, tags, tops, stride } = rows;
  const top = tops[a];
  tops[a] = tops[b];
  tops[b] = top;
  swapSorted(words, tags, stride, a, b);
}

function swapSorted(
  words: Int32Array,
  tags: Uint16Array,
  stride: number,
  a: number,
  b: number,
): void {
  const tag = tags[a];
  tags[a] = tags[b];
  tags[b] = tag;
  let atB = b * stride;
  for (let atA = a * stride, end = atA + stride; atA < end; atA++, atB++) {
    const word = words[atA];
    words[atA] = words[atB];
    words[atB] = word;
  }
}

/**
 * Sorts each bucket, keeps the winner of each key (kopia-format.md 6.1) and closes the gaps.
 * `starts` is corrected. Returns the number of rows that are left.
 */
export function settleBuckets(rows: RowsInBuckets, starts: Uint32Array): number {
  const buckets = starts.length - 1;
  let written = 0;
  let from = starts[0];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const to = starts[bucket + 1];
    const first = written;
    starts[bucket] = first;
    if (to - from > 1) sortRows(rows, from, to);
    for (let row = from; row < to; row++) {
      if (written > first && compareKeys(rows, written - 1, row) === 0) continue;
      if (written !== row) moveRow(rows, row, written);
      written++;
    }
    from = to;
  }
  starts[buckets] = written;
  return written;
}

function moveRow({ words, tags, stride }: TableColumns, from: number, to: number): void {
  tags[to] = tags[from];
  words.copyWithin(to * stride, from * stride, (from + 1) * stride);
}

function sortRows(rows: RowsInBuckets, from: number, to: number): void {
  if (to - from > INSERTION_ROWS_MAX) {
    heapSort(rows, from, to);
    return;
  }
  const { words, tags, stride } = rows;
  for (let i = from + 1; i < to; i++) {
    for (let row = i; row > from && compareRows(rows, row - 1, row) > 0; row--) {
      swapSorted(words, tags, stride, row - 1, row);
    }
  }
}

function heapSort(rows: RowsInBuckets, from: number, to: number): void {
  const { words, tags, stride } = rows;
  const sink = (start: number, count: number): void => {
    let parent = start;
    for (let child = 2 * parent + 1; child < count; child = 2 * parent + 1) {
      const hasLargerSibling =
        child + 1 < count && compareRows(rows, from + child + 1, from + child) > 0;
      if (hasLargerSibling) child++;
      if (compareRows(rows, from + parent, from + child) >= 0) return;
      swapSorted(words, tags, stride, from + parent, from + child);
      parent = child;
    }
  };
  const count = to - from;
  for (let parent = (count >> 1) - 1; parent >= 0; parent--) sink(parent, count);
  for (let last = count - 1; last > 0; last--) {
    swapSorted(words, tags, stride, from, from + last);
    sink(0, last);
  }
}

/** Within a bucket: by key, and the winner first among equal keys. */
function compareRows(rows: RowsInBuckets, a: number, b: number): number {
  return compareKeys(rows, a, b) || -compareMerit(rows, a, b);
}

function compareKeys(rows: RowsInBuckets, a: number, b: number): number {
  const { words, tags, stride, hashWords, prefixCodes } = rows;
  if (tags[a] !== tags[b]) return tags[a] - tags[b];
  const atA = a * stride;
  const atB = b * stride;
  for (let i = 0; i < hashWords; i++) {
    const difference = (words[atA + i] >>> 0) - (words[atB + i] >>> 0);
    if (difference !== 0) return difference;
  }
  const kindA = words[atA + hashWords + PACK] >>> KIND_SHIFT;
  const kindB = words[atB + hashWords + PACK] >>> KIND_SHIFT;
  return prefixCodes[kindA] - prefixCodes[kindB];
}

/** Positive when row a beats row b. */
function compareMerit(rows: RowsInBuckets, a: number, b: number): number {
  const { words, stride, hashWords, packs } = rows;
  const atA = a * stride + hashWords;
  const atB = b * stride + hashWords;
  const age = compareAge(
    words[atA + TIMESTAMP] >>> 0,
    words[atA + OFFSET] < 0,
    words[atB + TIMESTAMP] >>> 0,
    words[atB + OFFSET] < 0,
  );
  return age || packs.compare(words[atA + PACK] & PACK_MASK, packs, words[atB + PACK] & PACK_MASK);
}
