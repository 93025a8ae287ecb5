// Loads an IndexTable from index files that arrive one after the other, none of which is kept. Rows
// are appended unsorted and put in order at the end, in place, so that opening a repository takes
// little more memory than having it open.

import { EngineError } from '#engine/base/errors.ts';
import { PREFIX_CODES, type EntryFields } from './entry.ts';
import { damagedIndex } from './file-check.ts';
import { openIndexFile, type IndexFileOptions } from './file.ts';
import { PackIds } from './pack-ids.ts';
import {
  allocateColumns,
  bucketBitsFor,
  DELETED_BIT,
  hashWord,
  KIND_SHIFT,
  OFFSET,
  ORIGINAL,
  PACK,
  PACKED,
  TABLE_KINDS_MAX,
  TABLE_HASH_BYTES_MIN,
  TABLE_ROWS_MAX,
  TIMESTAMP,
  type TableColumns,
  type TableKinds,
} from './table-layout.ts';
import { settleBuckets, sortIntoBuckets } from './table-sort.ts';
import { IndexTable } from './table.ts';

export interface IndexTableBuilderOptions {
  readonly hashBytes: number;
  /**
   * An upper bound of the entries to come (for index blobs: their bytes divided by key size + 16).
   * When it is too low, rows are copied to more memory; when it is too high it costs nothing.
   */
  readonly expectedContents?: number;
}

const CAPACITY_MIN = 1024;
/** Memory of dropped duplicates is given back when they were more than a quarter. */
const KEPT_SHARE_MIN = 0.75;

export class IndexTableBuilder {
  readonly #hashBytes: number;
  readonly #packs = new PackIds();
  readonly #kinds: TableKinds = {
    prefixCodes: new Uint8Array(TABLE_KINDS_MAX),
    compressionIds: new Uint32Array(TABLE_KINDS_MAX),
    formatVersions: new Uint8Array(TABLE_KINDS_MAX),
  };
  #kindCount = 0;
  #lastKind = 0;
  #columns: TableColumns;
  /** Hash bytes 0 and 1 of each row, which its bucket implies later. */
  #tops: Uint16Array;
  #capacity: number;
  #count = 0;

  constructor({ hashBytes, expectedContents = 0 }: IndexTableBuilderOptions) {
    if (!(hashBytes >= TABLE_HASH_BYTES_MIN && hashBytes <= 32)) {
      throw new EngineError('INTERNAL', `an index table cannot hold hashes of ${hashBytes} bytes`);
    }
    this.#hashBytes = hashBytes;
    this.#capacity = Math.min(TABLE_ROWS_MAX, Math.max(CAPACITY_MIN, expectedContents));
    this.#columns = allocateColumns(hashBytes, this.#capacity);
    this.#tops = new Uint16Array(this.#capacity);
  }

  /** Entries added so far, duplicates included. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds the entries of a decrypted index file; none when it is damaged. The bytes may be reused.
   * @throws INDEX_DAMAGED, LIMIT_EXCEEDED
   */
  addFile(bytes: Uint8Array, options: IndexFileOptions): void {
    const cursor = openIndexFile(bytes, options);
    if (cursor.entryCount === 0) return;
    if (cursor.keyBytes !== this.#hashBytes + 1) {
      throw damagedIndex(options.name, `its keys have ${cursor.keyBytes} bytes`);
    }
    this.#reserve(this.#count + cursor.entryCount);
    const { offsets, lengths, count } = cursor.packs;
    const packs = new Uint32Array(count);
    for (let i = 0; i < count; i++) packs[i] = this.#packs.intern(bytes, offsets[i], lengths[i]);
    const before = this.#count;
    try {
      while (cursor.next()) {
        this.#append(cursor.bytes, cursor.keyOffset, cursor, packs[cursor.packIndex]);
      }
    } catch (error) {
      this.#count = before;
      throw error;
    }
  }

  /** Adds all rows of another table. */
  addTable(table: IndexTable): void {
    this.#reserve(this.#count + table.count);
    const packs = this.#packs.addAll(table.packs);
    const key = new Uint8Array(table.keyBytes);
    const position = { row: 0, bucket: 0 };
    for (; table.seek(position, -1); position.row++) {
      const { row } = position;
      table.copyKey(position, key, 0);
      const fields = {
        timestampSeconds: table.timestampAt(row),
        packOffset: table.offsetAt(row),
        packedBytes: table.packedBytesAt(row),
        originalBytes: table.originalBytesAt(row),
        compressionId: table.compressionAt(row),
        formatVersion: table.formatVersionAt(row),
        isDeleted: table.isDeletedAt(row),
      };
      this.#append(key, 0, fields, packs[table.packAt(row)]);
    }
  }

  /** The table of everything added, merged by kopia's rule. The builder is used up. */
  finish(): IndexTable {
    const bucketBits = bucketBitsFor(this.#count);
    const unsorted = { ...this.#columns, tops: this.#tops };
    const starts = sortIntoBuckets(unsorted, this.#count, bucketBits);
    const kinds = this.#finishedKinds();
    const inBuckets = { ...this.#columns, packs: this.#packs, prefixCodes: kinds.prefixCodes };
    const count = settleBuckets(inBuckets, starts);
    const isWasteful = count < this.#count * KEPT_SHARE_MIN;
    if (isWasteful) this.#resize(count, count);
    const { words, tags } = this.#columns;
    return IndexTable.attach({
      hashBytes: this.#hashBytes,
      count,
      words: sharedBufferOf(words),
      tags: sharedBufferOf(tags),
      starts: starts.buffer,
      bucketBits,
      kinds,
      packs: this.#packs.copyInto(bytes => new SharedArrayBuffer(bytes)),
      touchedRows: isWasteful ? count : this.#count,
    });
  }

  #append(bytes: Uint8Array, keyOffset: number, fields: EntryFields, pack: number): void {
    const { words, tags, hashWords, stride } = this.#columns;
    const row = this.#count++;
    const hash = keyOffset + 1;
    const end = hash + this.#hashBytes;
    this.#tops[row] = (bytes[hash] << 8) | bytes[hash + 1];
    tags[row] = (bytes[hash + 2] << 8) | bytes[hash + 3];
    let at = row * stride;
    for (let i = 0; i < hashWords; i++) words[at++] = hashWord(bytes, hash + 4 + 4 * i, end);
    const kind = this.#kindOf(PREFIX_CODES[bytes[keyOffset]], fields);
    words[at + PACK] = pack | (kind << KIND_SHIFT);
    words[at + TIMESTAMP] = fields.timestampSeconds;
    words[at + OFFSET] = fields.isDeleted ? fields.packOffset | DELETED_BIT : fields.packOffset;
    words[at + PACKED] = fields.packedBytes;
    words[at + ORIGINAL] = fields.originalBytes;
  }

  #kindOf(prefixCode: number, { compressionId, formatVersion }: EntryFields): number {
    const { prefixCodes, compressionIds, formatVersions } = this.#kinds;
    const isKind = (kind: number): boolean =>
      compressionIds[kind] === compressionId &&
      prefixCodes[kind] === prefixCode &&
      formatVersions[kind] === formatVersion;
    if (this.#lastKind < this.#kindCount && isKind(this.#lastKind)) return this.#lastKind;
    let kind = 0;
    while (kind < this.#kindCount && !isKind(kind)) kind++;
    if (kind === TABLE_KINDS_MAX) {
      throw new EngineError(
        'LIMIT_EXCEEDED',
        `the index has more than ${TABLE_KINDS_MAX} combinations of content prefix, compression ` +
          `and format version`,
      );
    }
    if (kind === this.#kindCount) {
      this.#kindCount++;
      prefixCodes[kind] = prefixCode;
      compressionIds[kind] = compressionId;
      formatVersions[kind] = formatVersion;
    }
    this.#lastKind = kind;
    return kind;
  }

  #finishedKinds(): TableKinds {
    const { prefixCodes, compressionIds, formatVersions } = this.#kinds;
    return {
      prefixCodes: prefixCodes.slice(0, this.#kindCount),
      compressionIds: compressionIds.slice(0, this.#kindCount),
      formatVersions: formatVersions.slice(0, this.#kindCount),
    };
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    if (rows > TABLE_ROWS_MAX) {
      throw new EngineError(
        'LIMIT_EXCEEDED',
        `cannot hold an index of more than ${TABLE_ROWS_MAX} entries in memory`,
      );
    }
    const capacity = Math.min(TABLE_ROWS_MAX, Math.max(rows, Math.ceil(this.#capacity * 1.5)));
    this.#resize(capacity, this.#count);
  }

  /** Moves the first `count` rows to columns with room for `capacity`. */
  #resize(capacity: number, count: number): void {
    const { words, tags, stride } = this.#columns;
    const columns = allocateColumns(this.#hashBytes, capacity);
    columns.words.set(words.subarray(0, count * stride));
    columns.tags.set(tags.subarray(0, count));
    const tops = new Uint16Array(capacity);
    tops.set(this.#tops.subarray(0, count));
    this.#columns = columns;
    this.#tops = tops;
    this.#capacity = capacity;
  }
}

function sharedBufferOf(column: { readonly buffer: ArrayBufferLike }): SharedArrayBuffer {
  if (column.buffer instanceof SharedArrayBuffer) return column.buffer;
  throw new EngineError('INTERNAL', 'an index table is not in shared memory');
}
