// Writing of index file version 2. Packs and formats are numbered by first appearance in key order
// and names laid out in that order, as kopia's builder does: equal entries give equal bytes.

import { EngineError } from '#engine/base/errors.ts';
import { PACKS_MAX } from './entry.ts';
import { writeU32 } from './file-check.ts';
import {
  V2_ENTRY_BYTES_MAX,
  V2_ENTRY_BYTES_MIN,
  V2_FORMAT_BYTES,
  V2_HEADER_BYTES,
  V2_PACK_BYTES,
} from './file-v2.ts';
import type { IndexRows } from './rows.ts';

const FORMATS_MAX = 255;
const SHORT_PACKS_MAX = 2 ** 16;
const SHORT_LENGTH_LIMIT = 2 ** 24;
const FILE_BYTES_MAX = 2 ** 32 - 1;

/** How the rows are numbered in the file. */
interface Numbering {
  /** By the rows' pack index: number in the file plus one, or 0. */
  readonly packNumbers: Uint32Array;
  /** The rows' pack indexes in the order of the file. */
  readonly packs: number[];
  /** compressionId * 256 + formatVersion, to number. */
  readonly formats: Map<number, number>;
  readonly lengthMax: number;
  readonly nameBytes: number;
}

/**
 * The bytes of an index file with the entries of `order`, which are row numbers in strictly
 * ascending key order, at least one.
 * @throws LIMIT_EXCEEDED when there are too many formats or packs for one file
 */
export function encodeIndexV2(rows: IndexRows, order: Uint32Array): Uint8Array {
  if (order.length === 0) throw new EngineError('INTERNAL', 'an index file cannot be empty');
  const numbering = numberRows(rows, order);
  const entryBytes = entryBytesFor(numbering);
  const packsOffset = V2_HEADER_BYTES + order.length * (rows.keyBytes + entryBytes);
  const formatsOffset = packsOffset + numbering.packs.length * V2_PACK_BYTES;
  const namesOffset = formatsOffset + numbering.formats.size * V2_FORMAT_BYTES;
  const bytes = allocate(namesOffset + numbering.nameBytes);
  bytes[0] = 2;
  bytes[1] = rows.keyBytes;
  bytes[3] = entryBytes;
  writeU32(bytes, 4, order.length);
  writeU32(bytes, 8, numbering.packs.length);
  bytes[12] = numbering.formats.size;
  writeEntries(bytes, rows, order, { numbering, entryBytes });
  writePacks(bytes, packsOffset, namesOffset, { rows, packs: numbering.packs });
  writeFormats(bytes, formatsOffset, numbering.formats);
  return bytes;
}

function allocate(fileBytes: number): Uint8Array {
  if (fileBytes <= FILE_BYTES_MAX) return new Uint8Array(fileBytes);
  throw new EngineError('LIMIT_EXCEEDED', `an index file of ${fileBytes} bytes is too large`);
}

function numberRows(rows: IndexRows, order: Uint32Array): Numbering {
  const packNumbers = new Uint32Array(rows.packs.count);
  const packs: number[] = [];
  const formats = new Map<number, number>();
  let lengthMax = 0;
  let nameBytes = 0;
  for (const row of order) {
    const pack = rows.packIndexAt(row);
    if (packNumbers[pack] === 0) {
      packNumbers[pack] = packs.push(pack);
      nameBytes += rows.packs.lengthAt(pack);
    }
    const format = formatOf(rows, row);
    if (!formats.has(format)) formats.set(format, formats.size);
    lengthMax = Math.max(lengthMax, rows.packedBytesAt(row), rows.originalBytesAt(row));
  }
  if (formats.size > FORMATS_MAX || packs.length > PACKS_MAX) {
    throw new EngineError(
      'LIMIT_EXCEEDED',
      `an index file cannot hold ${formats.size} formats and ${packs.length} packs`,
    );
  }
  return { packNumbers, packs, formats, lengthMax, nameBytes };
}

function formatOf(rows: IndexRows, row: number): number {
  return rows.compressionAt(row) * 256 + rows.formatVersionAt(row);
}

/** The smallest value that holds everything; the optional bytes are positional. */
function entryBytesFor(numbering: Numbering): number {
  if (numbering.lengthMax >= SHORT_LENGTH_LIMIT) return V2_ENTRY_BYTES_MAX;
  if (numbering.packs.length > SHORT_PACKS_MAX) return 18;
  return numbering.formats.size > 1 ? 17 : V2_ENTRY_BYTES_MIN;
}

function writeEntries(
  bytes: Uint8Array,
  rows: IndexRows,
  order: Uint32Array,
  layout: { numbering: Numbering; entryBytes: number },
): void {
  const { keys, keyBytes } = rows;
  const { numbering, entryBytes } = layout;
  let at = V2_HEADER_BYTES;
  for (const row of order) {
    const key = row * keyBytes;
    for (let i = 0; i < keyBytes; i++) bytes[at + i] = keys[key + i];
    at += keyBytes;
    const original = rows.originalBytesAt(row);
    const packed = rows.packedBytesAt(row);
    const pack = numbering.packNumbers[rows.packIndexAt(row)] - 1;
    const deletedBit = rows.isDeletedAt(row) ? 0x80000000 : 0;
    writeU32(bytes, at, rows.timestampAt(row));
    writeU32(bytes, at + 4, rows.offsetAt(row) | deletedBit);
    writeU24(bytes, at + 8, original);
    writeU24(bytes, at + 11, packed);
    bytes[at + 14] = pack >> 8;
    bytes[at + 15] = pack;
    if (entryBytes > 16) bytes[at + 16] = numbering.formats.get(formatOf(rows, row)) ?? 0;
    if (entryBytes > 17) bytes[at + 17] = pack >> 16;
    if (entryBytes > 18) bytes[at + 18] = ((original >>> 24) << 4) | (packed >>> 24);
    at += entryBytes;
  }
}

function writePacks(
  bytes: Uint8Array,
  packsOffset: number,
  namesOffset: number,
  source: { rows: IndexRows; packs: readonly number[] },
): void {
  const names = source.rows.packs;
  let at = packsOffset;
  let nameAt = namesOffset;
  for (const pack of source.packs) {
    bytes[at] = names.lengthAt(pack);
    writeU32(bytes, at + 1, nameAt);
    names.copyIdAt(pack, bytes, nameAt);
    at += V2_PACK_BYTES;
    nameAt += names.lengthAt(pack);
  }
}

function writeFormats(bytes: Uint8Array, offset: number, formats: Map<number, number>): void {
  let at = offset;
  for (const format of formats.keys()) {
    writeU32(bytes, at, Math.floor(format / 256));
    bytes[at + 4] = format % 256;
    at += V2_FORMAT_BYTES;
  }
}

function writeU24(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 16;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value;
}
