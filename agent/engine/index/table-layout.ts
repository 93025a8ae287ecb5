// How an index table lays its rows out in memory; the table reads it, the builder writes it.
//
// Columns, all in shared memory:
//   words   per row: hash bytes 4…, then pack and kind, timestamp, offset, packed and original
//           length. Three hash words make 32 bytes a row for 128-bit hashes, and what a look-up
//           compares is the first 16 of them: large buffers begin 16 bytes behind a page, so that
//           half never straddles two cache lines, which the other half of every second row does.
//   tags    u16 per row: hash bytes 2 and 3. A look-up scans these first: a bucket's tags are one
//           cache line, and nearly always only the right row is then looked at. Scanning rows
//           instead was slower, misses most (5.2 against 6.9 million a second at 20 million).
//   starts  u32 per bucket, and one more: the first row of each. The bucket is the first b >= 16
//           bits of the hash, so hash bytes 0 and 1 need not be stored.
// Rows are sorted by hash, then prefix. Together 34 bytes a row and 0.5 to 1 a bucket.

/** Beyond this, row numbers would not fit what views and sorting make of them. */
export const TABLE_ROWS_MAX = 2 ** 27;
/** Combinations of prefix, compression and format version that a table can tell apart. */
export const TABLE_KINDS_MAX = 256;
/** Look-ups compare three hash words at once; kopia's hashes have 16 to 32 bytes. */
export const TABLE_HASH_BYTES_MIN = 16;

// Words behind the hash words of a row.
/** Pack index in 24 bits; the number of the kind above. */
export const PACK = 0;
export const TIMESTAMP = 1;
/** Offset in 30 bits; the sign bit says deleted. */
export const OFFSET = 2;
export const PACKED = 3;
export const ORIGINAL = 4;
const VALUE_WORDS = 5;

export const OFFSET_MASK = 0x3fffffff;
export const PACK_MASK = 0x00ffffff;
export const KIND_SHIFT = 24;
export const DELETED_BIT = 0x80000000;

const BUCKET_BITS_MIN = 16;
const BUCKET_BITS_MAX = 24;
/** The average bucket has 4 to 8 rows. */
const BUCKET_ROWS = 4;

/** What the numbers of kinds stand for. */
export interface TableKinds {
  readonly prefixCodes: Uint8Array;
  readonly compressionIds: Uint32Array;
  readonly formatVersions: Uint8Array;
}

export interface TableColumns {
  readonly words: Int32Array;
  readonly tags: Uint16Array;
  /** Hash bytes after the first four, in words, padded with zeros. */
  readonly hashWords: number;
  readonly stride: number;
}

export function hashWordsOf(hashBytes: number): number {
  return Math.ceil((hashBytes - 4) / 4);
}

export function strideOf(hashBytes: number): number {
  return hashWordsOf(hashBytes) + VALUE_WORDS;
}

export function allocateColumns(hashBytes: number, capacity: number): TableColumns {
  const hashWords = hashWordsOf(hashBytes);
  const stride = strideOf(hashBytes);
  // The system hands out pages of a large buffer when they are first written, so spare capacity
  // costs address space only.
  return {
    words: new Int32Array(new SharedArrayBuffer(capacity * stride * 4)),
    tags: new Uint16Array(new SharedArrayBuffer(capacity * 2)),
    hashWords,
    stride,
  };
}

export function bucketBitsFor(rowCount: number): number {
  const bits = Math.floor(Math.log2(Math.max(1, rowCount / BUCKET_ROWS)));
  return Math.min(BUCKET_BITS_MAX, Math.max(BUCKET_BITS_MIN, bits));
}

/** Four bytes of a hash as a signed word; zeros stand for bytes at or behind `end`. */
export function hashWord(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  let word = 0;
  for (let i = 0; i < 4; i++) word = (word << 8) | (at + i < end ? bytes[at + i] : 0);
  return word;
}
