// The committed index in memory: which pack holds which content, for look-ups by all threads. Off
// the JavaScript heap, read-only once built, made of shared buffers, so that a worker attaches
// to it at no cost. table-layout.ts says how the rows lie, table-builder.ts makes them.

import { EngineError } from '#engine/base/errors.ts';
import {
  impossibleKey,
  NO_PREFIX_CODE,
  PREFIX_CODE_COUNT,
  PREFIX_CODES,
  prefixByteOf,
  type IndexEntry,
} from './entry.ts';
import { readInt32 } from './file-check.ts';
import { PackIds, type PackIdsBuffers } from './pack-ids.ts';
import {
  hashWord,
  hashWordsOf,
  KIND_SHIFT,
  OFFSET,
  OFFSET_MASK,
  ORIGINAL,
  PACK,
  PACK_MASK,
  PACKED,
  strideOf,
  TIMESTAMP,
  type TableKinds,
} from './table-layout.ts';

/** A table in the form in which it is posted to a worker; nothing is copied. */
export interface SharedIndexTable {
  readonly hashBytes: number;
  readonly count: number;
  readonly words: SharedArrayBuffer;
  readonly tags: SharedArrayBuffer;
  readonly starts: SharedArrayBuffer;
  readonly bucketBits: number;
  readonly kinds: TableKinds;
  readonly packs: PackIdsBuffers;
  /** Rows whose memory was touched; more than count when duplicates were dropped. */
  readonly touchedRows: number;
}

/** What a table takes, in bytes of resident memory. */
export interface IndexTableMemory {
  readonly rowBytes: number;
  readonly bucketBytes: number;
  readonly packBytes: number;
  readonly totalBytes: number;
}

/** Where an iteration stands. */
export interface TablePosition {
  row: number;
  /** The bucket of `row`. */
  bucket: number;
}

export class IndexTable {
  readonly count: number;
  /** 1 + hash length. */
  readonly keyBytes: number;
  readonly packs: PackIds;
  readonly #shared: SharedIndexTable;
  readonly #words: Int32Array;
  readonly #tags: Uint16Array;
  readonly #starts: Uint32Array;
  readonly #bucketShift: number;
  readonly #hashWords: number;
  readonly #stride: number;
  /** By kind. */
  readonly #prefixCodes: Uint8Array;

  private constructor(shared: SharedIndexTable) {
    this.#shared = shared;
    this.count = shared.count;
    this.keyBytes = shared.hashBytes + 1;
    this.packs = new PackIds(shared.packs);
    this.#words = new Int32Array(shared.words);
    this.#tags = new Uint16Array(shared.tags);
    this.#starts = new Uint32Array(shared.starts);
    this.#bucketShift = 32 - shared.bucketBits;
    this.#hashWords = hashWordsOf(shared.hashBytes);
    this.#stride = strideOf(shared.hashBytes);
    this.#prefixCodes = shared.kinds.prefixCodes;
  }

  static attach(shared: SharedIndexTable): IndexTable {
    return new IndexTable(shared);
  }

  share(): SharedIndexTable {
    return this.#shared;
  }

  get memory(): IndexTableMemory {
    const rowBytes = this.#shared.touchedRows * (this.#stride * 4 + 2);
    const bucketBytes = this.#starts.byteLength;
    const packBytes = this.packs.usedBytes;
    return { rowBytes, bucketBytes, packBytes, totalBytes: rowBytes + bucketBytes + packBytes };
  }

  /**
   * The row of the content with key key[keyOffset, keyOffset + keyLength), or -1.
   * @throws CONTENT_ID_INVALID when a key of that length or prefix cannot occur here
   */
  find(key: Uint8Array, keyOffset: number, keyLength: number): number {
    // Written out flat: the fewer instructions, the more look-ups overlap their cache misses.
    const code = PREFIX_CODES[key[keyOffset]];
    if (keyLength !== this.keyBytes || code === NO_PREFIX_CODE) {
      throw impossibleKey(key.subarray(keyOffset, keyOffset + keyLength), this.keyBytes);
    }
    const tags = this.#tags;
    const hash = keyOffset + 1;
    const tag = (key[hash + 2] << 8) | key[hash + 3];
    const bucket = ((key[hash] << 24) | (key[hash + 1] << 16) | tag) >>> this.#bucketShift;
    const end = this.#starts[bucket + 1];
    for (let row = this.#starts[bucket]; row < end; row++) {
      if (tags[row] === tag && this.#isAt(row, code, key, hash)) return row;
    }
    return -1;
  }

  timestampAt(row: number): number {
    return this.#words[this.#valueAt(row) + TIMESTAMP] >>> 0;
  }

  offsetAt(row: number): number {
    return this.#words[this.#valueAt(row) + OFFSET] & OFFSET_MASK;
  }

  isDeletedAt(row: number): boolean {
    return this.#words[this.#valueAt(row) + OFFSET] < 0;
  }

  packedBytesAt(row: number): number {
    return this.#words[this.#valueAt(row) + PACKED];
  }

  originalBytesAt(row: number): number {
    return this.#words[this.#valueAt(row) + ORIGINAL];
  }

  /** Index into `packs`. */
  packAt(row: number): number {
    return this.#words[this.#valueAt(row) + PACK] & PACK_MASK;
  }

  /** Compression header id, 0 for none. */
  compressionAt(row: number): number {
    return this.#shared.kinds.compressionIds[this.#words[this.#valueAt(row) + PACK] >>> KIND_SHIFT];
  }

  formatVersionAt(row: number): number {
    return this.#shared.kinds.formatVersions[this.#words[this.#valueAt(row) + PACK] >>> KIND_SHIFT];
  }

  packId(packIndex: number): string {
    return this.packs.idAt(packIndex);
  }

  entryAt(row: number): IndexEntry {
    const key = new Uint8Array(this.keyBytes);
    this.copyKey({ row, bucket: this.#bucketOf(row) }, key, 0);
    return {
      key,
      packId: this.packId(this.packAt(row)),
      timestampSeconds: this.timestampAt(row),
      packOffset: this.offsetAt(row),
      packedBytes: this.packedBytesAt(row),
      originalBytes: this.originalBytesAt(row),
      compressionId: this.compressionAt(row),
      formatVersion: this.formatVersionAt(row),
      isDeleted: this.isDeletedAt(row),
    };
  }

  /** Writes the key at `position` to target[targetOffset…]. */
  copyKey(position: TablePosition, target: Uint8Array, targetOffset: number): void {
    const { row, bucket } = position;
    const words = this.#words;
    const at = row * this.#stride;
    const top = bucket >>> (16 - this.#bucketShift);
    target[targetOffset] = prefixByteOf(this.#prefixCodeAt(row));
    target[targetOffset + 1] = top >> 8;
    target[targetOffset + 2] = top;
    target[targetOffset + 3] = this.#tags[row] >> 8;
    target[targetOffset + 4] = this.#tags[row];
    for (let i = 5, shift = 24; i < this.keyBytes; i++) {
      target[targetOffset + i] = words[at + ((i - 5) >> 2)] >>> shift;
      shift = (shift + 24) & 31;
    }
  }

  /**
   * Moves to the next row with a prefix code (to the next row whatever its prefix when the code is
   * -1), beginning with `position` itself; false when there is none. Rows come in the order of
   * their hashes, which for one prefix is the order of keys.
   */
  seek(position: TablePosition, prefixCode: number): boolean {
    const starts = this.#starts;
    let { row } = position;
    if (prefixCode >= 0) {
      if (!this.#prefixCodes.includes(prefixCode)) row = this.count;
      while (row < this.count && this.#prefixCodeAt(row) !== prefixCode) row++;
    }
    position.row = row;
    if (row >= this.count) return false;
    while (starts[position.bucket + 1] <= row) position.bucket++;
    return true;
  }

  /** All rows in key order, or those with one prefix byte. */
  *rows(prefixByte?: number): Generator<number> {
    for (const code of prefixCodesFor(prefixByte)) {
      const position = { row: 0, bucket: 0 };
      for (; this.seek(position, code); position.row++) yield position.row;
    }
  }

  #valueAt(row: number): number {
    return row * this.#stride + this.#hashWords;
  }

  #prefixCodeAt(row: number): number {
    return this.#prefixCodes[this.#words[this.#valueAt(row) + PACK] >>> KIND_SHIFT];
  }

  #isAt(row: number, prefixCode: number, key: Uint8Array, hash: number): boolean {
    const words = this.#words;
    const at = row * this.#stride;
    return (
      words[at] === readInt32(key, hash + 4) &&
      words[at + 1] === readInt32(key, hash + 8) &&
      words[at + 2] === readInt32(key, hash + 12) &&
      (this.#hashWords === 3 || this.#isTailAt(at, key, hash)) &&
      this.#prefixCodes[words[at + this.#hashWords + PACK] >>> KIND_SHIFT] === prefixCode
    );
  }

  /** Compares what hashes of more than 16 bytes have beyond. */
  #isTailAt(at: number, key: Uint8Array, hash: number): boolean {
    const end = hash + this.keyBytes - 1;
    for (let i = 3; i < this.#hashWords; i++) {
      if (this.#words[at + i] !== hashWord(key, hash + 4 + 4 * i, end)) return false;
    }
    return true;
  }

  /** The last bucket that begins at or before `row`. */
  #bucketOf(row: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle] <= row) low = middle;
      else high = middle;
    }
    return low;
  }
}

/**
 * The codes whose rows, one after the other, are what a prefix byte asks for; all by default.
 * @throws CONTENT_ID_INVALID when the byte is no prefix
 */
export function prefixCodesFor(prefixByte?: number): number[] {
  if (prefixByte === undefined) return Array.from({ length: PREFIX_CODE_COUNT }, (_, code) => code);
  const code = PREFIX_CODES[prefixByte];
  if (code !== NO_PREFIX_CODE) return [code];
  throw new EngineError('CONTENT_ID_INVALID', `byte ${prefixByte} is not a content prefix`);
}
