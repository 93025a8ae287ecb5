// Index file version 2, what every repository of today holds
// (kopia-format.md 6.2, kopia repo/content/index/index_v2.go):
//   header 17, entries (key, value of 16 to 19 bytes), packs 5 each, formats 6 each, pack names.

import { PACKS_MAX, TIMESTAMP_MAX } from './entry.ts';
import {
  checkKey,
  checkKeyBytes,
  checkPackId,
  damagedIndex,
  readInt32,
  readU32,
} from './file-check.ts';
import type { EntryCursor, FilePacks } from './file.ts';

export const V2_HEADER_BYTES = 17;
export const V2_PACK_BYTES = 5;
export const V2_FORMAT_BYTES = 6;
export const V2_ENTRY_BYTES_MIN = 16;
export const V2_ENTRY_BYTES_MAX = 19;
const STRIDE_MAX = 256;

interface Header {
  readonly keyBytes: number;
  readonly entryBytes: number;
  readonly entryCount: number;
  readonly baseTimestamp: number;
  readonly packsOffset: number;
  readonly packCount: number;
  readonly formatsOffset: number;
  readonly formatCount: number;
  readonly namesOffset: number;
}

/**
 * A cursor over the entries of an index file of version 2.
 * @throws INDEX_DAMAGED
 */
export function openIndexV2(bytes: Uint8Array, name: string): EntryCursor {
  return new V2Cursor(bytes, name, readHeader(bytes, name));
}

function readHeader(bytes: Uint8Array, name: string): Header {
  if (bytes.length < V2_HEADER_BYTES) throw damagedIndex(name, 'it ends inside its header');
  const keyBytes = bytes[1];
  const entryBytes = (bytes[2] << 8) | bytes[3];
  const entryCount = readU32(bytes, 4);
  const packCount = readU32(bytes, 8);
  const formatCount = bytes[12];
  checkKeyBytes(name, keyBytes);
  if (entryBytes < V2_ENTRY_BYTES_MIN || entryBytes > V2_ENTRY_BYTES_MAX) {
    throw damagedIndex(name, `its entry size is ${entryBytes}`);
  }
  if (keyBytes + entryBytes > STRIDE_MAX) throw damagedIndex(name, 'its entries are too large');
  if (packCount > PACKS_MAX) throw damagedIndex(name, `it names ${packCount} packs`);
  const packsOffset = V2_HEADER_BYTES + entryCount * (keyBytes + entryBytes);
  const formatsOffset = packsOffset + packCount * V2_PACK_BYTES;
  const namesOffset = formatsOffset + formatCount * V2_FORMAT_BYTES;
  if (namesOffset > bytes.length) throw damagedIndex(name, 'it ends inside its tables');
  const baseTimestamp = readU32(bytes, 13);
  const header = { keyBytes, entryBytes, entryCount, baseTimestamp, packsOffset, packCount };
  return { ...header, formatsOffset, formatCount, namesOffset };
}

function readPacks(bytes: Uint8Array, name: string, header: Header): FilePacks {
  const count = header.packCount;
  const offsets = new Uint32Array(count);
  const lengths = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = header.packsOffset + i * V2_PACK_BYTES;
    lengths[i] = bytes[at];
    offsets[i] = readU32(bytes, at + 1);
    const wrong = checkPackId(bytes, header.namesOffset, offsets[i], lengths[i]);
    if (wrong !== undefined) throw damagedIndex(name, wrong);
  }
  return { count, offsets, lengths };
}

class V2Cursor implements EntryCursor {
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
  compressionId = 0;
  formatVersion = 0;
  isDeleted = false;
  readonly #name: string;
  readonly #header: Header;
  readonly #stride: number;
  readonly #compressionIds: Uint32Array;
  readonly #formatVersions: Uint8Array;

  constructor(bytes: Uint8Array, name: string, header: Header) {
    this.bytes = bytes;
    this.entryCount = header.entryCount;
    this.keyBytes = header.keyBytes;
    this.packs = readPacks(bytes, name, header);
    this.#name = name;
    this.#header = header;
    this.#stride = header.keyBytes + header.entryBytes;
    this.keyOffset = V2_HEADER_BYTES - this.#stride;
    this.#compressionIds = new Uint32Array(header.formatCount);
    this.#formatVersions = new Uint8Array(header.formatCount);
    for (let i = 0; i < header.formatCount; i++) {
      const at = header.formatsOffset + i * V2_FORMAT_BYTES;
      this.#compressionIds[i] = readU32(bytes, at);
      this.#formatVersions[i] = bytes[at + 4];
      if (bytes[at + 5] !== 0) throw damagedIndex(name, 'it uses an unknown encryption key');
    }
  }

  next(): boolean {
    const previous = this.keyOffset;
    const offset = previous + this.#stride;
    if (offset >= this.#header.packsOffset) return false;
    this.keyOffset = offset;
    const before = previous < V2_HEADER_BYTES ? -1 : previous;
    const wrong =
      checkKey(this.bytes, offset, before, this.keyBytes) ??
      this.#readValue(offset + this.keyBytes);
    if (wrong !== undefined) throw damagedIndex(this.#name, wrong);
    return true;
  }

  /** Reads the value at `at` into the fields; returns what is wrong with it, if anything. */
  #readValue(at: number): string | undefined {
    const bytes = this.bytes;
    const size = this.#header.entryBytes;
    this.timestampSeconds = readU32(bytes, at) + this.#header.baseTimestamp;
    const flagged = readInt32(bytes, at + 4);
    this.isDeleted = flagged < 0;
    this.packOffset = flagged & 0x3fffffff;
    const high = size > 18 ? bytes[at + 18] : 0;
    this.originalBytes =
      ((high >> 4) << 24) | (bytes[at + 8] << 16) | (bytes[at + 9] << 8) | bytes[at + 10];
    this.packedBytes =
      ((high & 15) << 24) | (bytes[at + 11] << 16) | (bytes[at + 12] << 8) | bytes[at + 13];
    const highPack = size > 17 ? bytes[at + 17] : 0;
    this.packIndex = (highPack << 16) | (bytes[at + 14] << 8) | bytes[at + 15];
    const format = size > 16 ? bytes[at + 16] : 0;
    this.compressionId = this.#compressionIds[format];
    this.formatVersion = this.#formatVersions[format];
    if ((flagged & 0x40000000) !== 0) return 'an offset is 1 GiB or more';
    if (this.packIndex >= this.packs.count) return 'an entry names a pack that is not listed';
    if (format >= this.#header.formatCount) return 'an entry has a format that is not listed';
    if (this.timestampSeconds > TIMESTAMP_MAX) return 'a timestamp exceeds 32 bits';
    return undefined;
  }
}
