// Index file version 1, of repositories that were made before kopia 0.9 or never upgraded
// (kopia-format.md 6.3, kopia repo/content/index/index_v1.go):
//   header 8, entries (key, value of 20 bytes), pack names. Without entries the key size is 255.

import { LENGTH_LIMIT } from './entry.ts';
import {
  checkKey,
  checkKeyBytes,
  checkPackId,
  damagedIndex,
  readInt32,
  readU32,
} from './file-check.ts';
import type { EntryCursor, FilePacks } from './file.ts';

export const V1_HEADER_BYTES = 8;
export const V1_ENTRY_BYTES = 20;
export const V1_KEY_BYTES_EMPTY = 255;

/**
 * A cursor over the entries of an index file of version 1.
 * @throws INDEX_DAMAGED
 */
export function openIndexV1(bytes: Uint8Array, name: string, overheadBytes: number): EntryCursor {
  if (bytes.length < V1_HEADER_BYTES) throw damagedIndex(name, 'it ends inside its header');
  const keyBytes = bytes[1];
  const entryBytes = (bytes[2] << 8) | bytes[3];
  const entryCount = readU32(bytes, 4);
  if (entryBytes !== V1_ENTRY_BYTES) throw damagedIndex(name, `its entry size is ${entryBytes}`);
  if (entryCount > 0 || keyBytes !== V1_KEY_BYTES_EMPTY) checkKeyBytes(name, keyBytes);
  if (V1_HEADER_BYTES + entryCount * (keyBytes + entryBytes) > bytes.length) {
    throw damagedIndex(name, 'it ends inside its entries');
  }
  return new V1Cursor(bytes, { name, keyBytes, entryCount, overheadBytes });
}

interface V1File {
  readonly name: string;
  readonly keyBytes: number;
  readonly entryCount: number;
  readonly overheadBytes: number;
}

class V1Cursor implements EntryCursor {
  readonly bytes: Uint8Array;
  readonly entryCount: number;
  readonly keyBytes: number;
  readonly packs: FilePacks;
  keyOffset: number;
  packIndex = 0;
  timestampSeconds = 0;
  packOffset = 0;
  packedBytes = 0;
  originalBytes = 0;
  readonly compressionId = 0;
  formatVersion = 0;
  isDeleted = false;
  readonly #file: V1File;
  readonly #end: number;
  readonly #stride: number;
  // Version 1 has no table of packs: each entry points at a name, so names are numbered by where
  // and how long they are, in order of appearance.
  readonly #packIndexes = new Map<number, number>();

  constructor(bytes: Uint8Array, file: V1File) {
    this.bytes = bytes;
    this.entryCount = file.entryCount;
    this.keyBytes = file.keyBytes;
    this.#file = file;
    this.#stride = file.keyBytes + V1_ENTRY_BYTES;
    this.#end = V1_HEADER_BYTES + file.entryCount * this.#stride;
    this.keyOffset = V1_HEADER_BYTES - this.#stride;
    this.packs = this.#readPacks();
  }

  #readPacks(): FilePacks {
    for (let key = V1_HEADER_BYTES; key < this.#end; key += this.#stride) {
      const place = this.#placeOfName(key + this.keyBytes);
      if (this.#packIndexes.has(place)) continue;
      const wrong = checkPackId(this.bytes, this.#end, Math.floor(place / 256), place % 256);
      if (wrong !== undefined) throw damagedIndex(this.#file.name, wrong);
      this.#packIndexes.set(place, this.#packIndexes.size);
    }
    const places = [...this.#packIndexes.keys()];
    return {
      count: places.length,
      offsets: Uint32Array.from(places, place => Math.floor(place / 256)),
      lengths: Uint8Array.from(places, place => place % 256),
    };
  }

  #placeOfName(value: number): number {
    return readU32(this.bytes, value + 8) * 256 + this.bytes[value + 7];
  }

  next(): boolean {
    const previous = this.keyOffset;
    const offset = previous + this.#stride;
    if (offset >= this.#end) return false;
    this.keyOffset = offset;
    const before = previous < V1_HEADER_BYTES ? -1 : previous;
    const wrong =
      checkKey(this.bytes, offset, before, this.keyBytes) ??
      this.#readValue(offset + this.keyBytes);
    if (wrong !== undefined) throw damagedIndex(this.#file.name, wrong);
    return true;
  }

  /** Reads the value at `at` into the fields; returns what is wrong with it, if anything. */
  #readValue(at: number): string | undefined {
    const bytes = this.bytes;
    this.timestampSeconds = readU32(bytes, at + 2);
    this.formatVersion = bytes[at + 6];
    this.packIndex = this.#packIndexes.get(this.#placeOfName(at)) ?? 0;
    const flagged = readInt32(bytes, at + 12);
    this.isDeleted = flagged < 0;
    this.packOffset = flagged & 0x3fffffff;
    this.packedBytes = readU32(bytes, at + 16);
    this.originalBytes = this.packedBytes - this.#file.overheadBytes;
    if ((bytes[at] | bytes[at + 1]) !== 0) return 'a timestamp exceeds 32 bits';
    if ((flagged & 0x40000000) !== 0) return 'an offset is 1 GiB or more';
    if (this.packedBytes >= LENGTH_LIMIT) return 'a content is 256 MiB or longer';
    if (this.originalBytes < 0) return 'a content is shorter than its own encryption';
    return undefined;
  }
}
