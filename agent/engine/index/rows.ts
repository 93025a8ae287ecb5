// A growable list of index entries in typed arrays: what pack writers collect in worker threads and
// hand over, what a flush or a compaction merges, sorts and encodes. Rows stand in the order of
// adding and may contradict each other; row-order.ts sorts them and applies the merge rule.

import { toHex } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import { releaseBuffer } from '#engine/base/release-buffer.ts';
import {
  KEY_BYTES_MAX,
  KEY_BYTES_MIN,
  LENGTH_LIMIT,
  NO_PREFIX_CODE,
  OFFSET_LIMIT,
  PREFIX_CODES,
  TIMESTAMP_MAX,
  type EntryFields,
  type IndexEntry,
} from './entry.ts';
import { openIndexFile, type EntryCursor, type IndexFileOptions } from './file.ts';
import { PackIds, type PackIdsBuffers } from './pack-ids.ts';

/** Sorting numbers rows by 27 bits. */
export const ROWS_MAX = 2 ** 27;

const WORDS = 7;
const TIMESTAMP = 0;
const OFFSET = 1; // with the deleted flag as its top bit
const PACKED = 2;
const ORIGINAL = 3;
const COMPRESSION = 4;
const PACK = 5;
const VERSION = 6;
const DELETED_BIT = 0x80000000;

/** The values of a row; its key is given beside them. */
export interface RowFields extends EntryFields {
  /** A number that addPack() gave. */
  readonly packIndex: number;
}

/** Rows on their way to another thread. */
export interface TransferredRows {
  readonly keyBytes: number;
  readonly count: number;
  readonly keys: ArrayBuffer;
  readonly words: ArrayBuffer;
  readonly packs: PackIdsBuffers;
}

export class IndexRows {
  readonly keyBytes: number;
  #count = 0;
  #keys: Uint8Array<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;
  #packs = new PackIds();

  /**
   * An empty list for keys of 1 + hash length bytes. Room for `expectedRows` is taken at once; the
   * list grows when there are more.
   */
  constructor(keyBytes: number, expectedRows = 0) {
    if (keyBytes < KEY_BYTES_MIN || keyBytes > KEY_BYTES_MAX) {
      throw new EngineError('INTERNAL', `index rows cannot have keys of ${keyBytes} bytes`);
    }
    this.keyBytes = keyBytes;
    this.#keys = new Uint8Array(expectedRows * keyBytes);
    this.#words = new Uint32Array(expectedRows * WORDS);
  }

  /** Takes over what transfer() gave in another thread. */
  static from(rows: TransferredRows): IndexRows {
    const taken = new IndexRows(rows.keyBytes);
    taken.#count = rows.count;
    taken.#keys = new Uint8Array(rows.keys);
    taken.#words = new Uint32Array(rows.words);
    taken.#packs = new PackIds(rows.packs);
    return taken;
  }

  get count(): number {
    return this.#count;
  }

  get packs(): PackIds {
    return this.#packs;
  }

  /** All keys back to back, for sorting; valid until the next row is added. */
  get keys(): Uint8Array {
    return this.#keys;
  }

  /** The number of a pack, the same each time. */
  addPack(packId: string): number {
    return this.#packs.internText(packId);
  }

  /**
   * Adds an entry whose key is key[keyOffset, keyOffset + keyBytes). Everything is copied.
   * @throws LIMIT_EXCEEDED when a value does not fit an index file
   */
  add(key: Uint8Array, keyOffset: number, fields: RowFields): void {
    this.#check(key, keyOffset, fields);
    this.#reserve(this.#count + 1);
    const at = this.#keysEnd;
    for (let i = 0; i < this.keyBytes; i++) this.#keys[at + i] = key[keyOffset + i];
    this.#addWords(fields, fields.packIndex);
  }

  /**
   * Adds all entries of a decrypted index file; none when it is damaged.
   * @throws INDEX_DAMAGED
   */
  addFile(bytes: Uint8Array, options: IndexFileOptions): void {
    const cursor = openIndexFile(bytes, options);
    if (cursor.entryCount === 0) return;
    if (cursor.keyBytes !== this.keyBytes) throw keySizeDiffers(options.name, cursor.keyBytes);
    this.#reserve(this.#count + cursor.entryCount);
    const before = this.#count;
    try {
      this.#addEntries(cursor);
    } catch (error) {
      this.#count = before;
      throw error;
    }
  }

  /** Adds all rows of `other`, which stays as it is. */
  merge(other: IndexRows): void {
    if (other.keyBytes !== this.keyBytes) throw keySizeDiffers('of other rows', other.keyBytes);
    this.#reserve(this.#count + other.#count);
    const packs = this.#packs.addAll(other.#packs);
    this.#keys.set(other.#keys.subarray(0, other.#count * this.keyBytes), this.#keysEnd);
    const from = this.#count * WORDS;
    this.#words.set(other.#words.subarray(0, other.#count * WORDS), from);
    this.#count += other.#count;
    for (let at = from + PACK; at < this.#count * WORDS; at += WORDS) {
      this.#words[at] = packs[this.#words[at]];
    }
  }

  timestampAt(row: number): number {
    return this.#words[row * WORDS + TIMESTAMP];
  }

  offsetAt(row: number): number {
    return this.#words[row * WORDS + OFFSET] & (OFFSET_LIMIT - 1);
  }

  isDeletedAt(row: number): boolean {
    return this.#words[row * WORDS + OFFSET] >= DELETED_BIT;
  }

  packedBytesAt(row: number): number {
    return this.#words[row * WORDS + PACKED];
  }

  originalBytesAt(row: number): number {
    return this.#words[row * WORDS + ORIGINAL];
  }

  compressionAt(row: number): number {
    return this.#words[row * WORDS + COMPRESSION];
  }

  packIndexAt(row: number): number {
    return this.#words[row * WORDS + PACK];
  }

  formatVersionAt(row: number): number {
    return this.#words[row * WORDS + VERSION];
  }

  entryAt(row: number): IndexEntry {
    return {
      key: this.#keys.slice(row * this.keyBytes, (row + 1) * this.keyBytes),
      packId: this.#packs.idAt(this.packIndexAt(row)),
      timestampSeconds: this.timestampAt(row),
      packOffset: this.offsetAt(row),
      packedBytes: this.packedBytesAt(row),
      originalBytes: this.originalBytesAt(row),
      compressionId: this.compressionAt(row),
      formatVersion: this.formatVersionAt(row),
      isDeleted: this.isDeletedAt(row),
    };
  }

  /**
   * The rows in a form to post to another thread; this list is empty afterwards. `transferList` is
   * for postMessage, so that nothing is copied.
   */
  transfer(): { rows: TransferredRows; transferList: ArrayBuffer[] } {
    const packs = this.#packs.copyInto(bytes => new ArrayBuffer(bytes));
    const keys = this.#keys.buffer;
    const words = this.#words.buffer;
    const rows = { keyBytes: this.keyBytes, count: this.#count, keys, words, packs };
    this.#count = 0;
    this.#keys = new Uint8Array(0);
    this.#words = new Uint32Array(0);
    this.#packs = new PackIds();
    return { rows, transferList: [keys, words, packs.bytes, packs.ends] };
  }

  #check(key: Uint8Array, keyOffset: number, fields: RowFields): void {
    const isFitting =
      keyOffset + this.keyBytes <= key.length &&
      PREFIX_CODES[key[keyOffset]] !== NO_PREFIX_CODE &&
      isBelow(fields.timestampSeconds, TIMESTAMP_MAX + 1) &&
      isBelow(fields.packOffset, OFFSET_LIMIT) &&
      isBelow(fields.packedBytes, LENGTH_LIMIT) &&
      isBelow(fields.originalBytes, LENGTH_LIMIT) &&
      isBelow(fields.formatVersion, 256) &&
      isBelow(fields.packIndex, this.#packs.count);
    if (isFitting) return;
    const keyText = toHex(key.subarray(keyOffset, keyOffset + this.keyBytes));
    throw new EngineError(
      'LIMIT_EXCEEDED',
      `cannot index a content of ${fields.originalBytes} bytes (${fields.packedBytes} packed) at ` +
        `offset ${fields.packOffset} of pack ${fields.packIndex}, key ${keyText}, time ` +
        `${fields.timestampSeconds}: a value is outside what an index file can hold`,
    );
  }

  /** Gives the memory back now and not when it is collected; this list is empty afterwards. */
  release(): void {
    releaseBuffer(this.#keys.buffer);
    releaseBuffer(this.#words.buffer);
    this.#count = 0;
    this.#keys = new Uint8Array(0);
    this.#words = new Uint32Array(0);
    this.#packs = new PackIds();
  }

  get #keysEnd(): number {
    return this.#count * this.keyBytes;
  }

  #addEntries(cursor: EntryCursor): void {
    const packs = new Uint32Array(cursor.packs.count);
    for (let i = 0; i < packs.length; i++) {
      const { offsets, lengths } = cursor.packs;
      packs[i] = this.#packs.intern(cursor.bytes, offsets[i], lengths[i]);
    }
    while (cursor.next()) {
      const at = this.#keysEnd;
      for (let i = 0; i < this.keyBytes; i++) {
        this.#keys[at + i] = cursor.bytes[cursor.keyOffset + i];
      }
      this.#addWords(cursor, packs[cursor.packIndex]);
    }
  }

  #addWords(fields: EntryFields, packIndex: number): void {
    const at = this.#count++ * WORDS;
    this.#words[at + TIMESTAMP] = fields.timestampSeconds;
    this.#words[at + OFFSET] = fields.isDeleted
      ? fields.packOffset | DELETED_BIT
      : fields.packOffset;
    this.#words[at + PACKED] = fields.packedBytes;
    this.#words[at + ORIGINAL] = fields.originalBytes;
    this.#words[at + COMPRESSION] = fields.compressionId;
    this.#words[at + PACK] = packIndex;
    this.#words[at + VERSION] = fields.formatVersion;
  }

  #reserve(rows: number): void {
    if (rows > ROWS_MAX) {
      throw new EngineError('LIMIT_EXCEEDED', `cannot hold more than ${ROWS_MAX} index rows`);
    }
    if (rows * WORDS <= this.#words.length) return;
    const capacity = Math.max(256, rows, Math.floor((this.#words.length / WORDS) * 1.5));
    const keys = new Uint8Array(capacity * this.keyBytes);
    keys.set(this.#keys.subarray(0, this.#keysEnd));
    const words = new Uint32Array(capacity * WORDS);
    words.set(this.#words.subarray(0, this.#count * WORDS));
    this.#keys = keys;
    this.#words = words;
  }
}

function keySizeDiffers(name: string, keyBytes: number): EngineError {
  return new EngineError(
    'INDEX_DAMAGED',
    `cannot use index ${name}: its keys have ${keyBytes} bytes, unlike those of this repository`,
  );
}

function isBelow(value: number, limit: number): boolean {
  return value >= 0 && value < limit;
}
