// What a segment file looks like, byte for byte. It has a fixed size and begins with a table: a
// header in the first row, then a row for each entry; the rest is blocks that hold the bytes. Rows
// are handed out from the front, so a reader stops where the table goes over into zeros. Numbers
// are little-endian. Each row and the header end with a CRC-32 of what is before it.

import { crc32 } from 'node:zlib';
import { asBuffer } from '#engine/base/bytes.ts';

export const BLOCK_BYTES = 4096;
export const ROW_BYTES = 64;
export const SEGMENT_BYTES_MIN = 128 * 1024;
export const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** The least table is worth one block; one row for two blocks is enough for entries of 8 KiB. */
const BLOCKS_PER_ROW = 2;
/** No entry, and not the zeros at which readers of a table stop. */
export const REMOVED_ROW: Uint8Array = new Uint8Array(ROW_BYTES).fill(0xff);
const MAGIC = 0x53_56_44_43;
/** 2: entries of more than one piece are checked piece by piece (pieces.ts). */
const VERSION = 2;
const CRC_AT = ROW_BYTES - 4;

export type ChecksumKind = 'poly1305' | 'crc32';
const CHECKSUM_CODES: Readonly<Record<ChecksumKind, number>> = Object.freeze({
  poly1305: 1,
  crc32: 2,
});

/** What an entry is, as it stands in the table. */
export interface EntryRow {
  /** First and second word of the blob's key. */
  readonly keyA: number;
  readonly keyB: number;
  readonly repositoryA: number;
  readonly repositoryB: number;
  /** Place of the bytes within the blob. */
  readonly offset: number;
  readonly length: number;
  /** First block within the segment. */
  readonly block: number;
  readonly checkA: number;
  readonly checkB: number;
  /** Later rows have higher numbers, across all segments. Says which of two is stale. */
  readonly sequence: number;
  readonly kind: number;
  /** Whether the blob ends where these bytes end. */
  readonly isLast: boolean;
}

export function rowCount(segmentBytes: number): number {
  return tableBlocks(segmentBytes) * (BLOCK_BYTES / ROW_BYTES);
}

export function tableBlocks(segmentBytes: number): number {
  const blocks = segmentBytes / BLOCK_BYTES;
  return Math.ceil((blocks / BLOCKS_PER_ROW) * (ROW_BYTES / BLOCK_BYTES));
}

export function blockCount(segmentBytes: number): number {
  return segmentBytes / BLOCK_BYTES;
}

export function isSegmentBytes(bytes: number): boolean {
  const isPower = Number.isInteger(Math.log2(bytes));
  return isPower && bytes >= SEGMENT_BYTES_MIN && bytes <= SEGMENT_BYTES_MAX;
}

export function encodeHeader(segmentBytes: number, checksum: ChecksumKind): Buffer {
  const row = Buffer.alloc(ROW_BYTES);
  row.writeUInt32LE(MAGIC, 0);
  row.writeUInt32LE(VERSION, 4);
  row.writeUInt32LE(segmentBytes, 8);
  row.writeUInt32LE(CHECKSUM_CODES[checksum], 12);
  row.writeUInt32LE(crc32(row.subarray(0, CRC_AT)), CRC_AT);
  return row;
}

/** Whether `row` is the header that this program would write for such a segment. */
export function isHeader(row: Uint8Array, segmentBytes: number, checksum: ChecksumKind): boolean {
  return asBuffer(row).equals(encodeHeader(segmentBytes, checksum));
}

export function encodeRow(entry: EntryRow): Buffer {
  const row = Buffer.alloc(ROW_BYTES);
  row.writeUInt32LE(entry.keyA, 0);
  row.writeUInt32LE(entry.keyB, 4);
  row.writeUInt32LE(entry.repositoryA, 8);
  row.writeUInt32LE(entry.repositoryB, 12);
  row.writeUInt32LE(entry.offset, 16);
  row.writeUInt32LE(entry.length, 20);
  row.writeUInt32LE(entry.block, 24);
  row.writeUInt32LE(entry.checkA, 28);
  row.writeUInt32LE(entry.checkB, 32);
  row.writeDoubleLE(entry.sequence, 36);
  row.writeUInt32LE(entry.kind, 44);
  row.writeUInt32LE(entry.isLast ? 1 : 0, 48);
  row.writeUInt32LE(crc32(row.subarray(0, CRC_AT)), CRC_AT);
  return row;
}

/** The entry of a row; undefined for an empty, torn or foreign one. */
export function decodeRow(table: Buffer, at: number): EntryRow | undefined {
  const length = table.readUInt32LE(at + 20);
  if (length === 0) return undefined;
  const crc = crc32(table.subarray(at, at + CRC_AT));
  if (crc !== table.readUInt32LE(at + CRC_AT)) return undefined;
  return {
    keyA: table.readUInt32LE(at),
    keyB: table.readUInt32LE(at + 4),
    repositoryA: table.readUInt32LE(at + 8),
    repositoryB: table.readUInt32LE(at + 12),
    offset: table.readUInt32LE(at + 16),
    length,
    block: table.readUInt32LE(at + 24),
    checkA: table.readUInt32LE(at + 28),
    checkB: table.readUInt32LE(at + 32),
    sequence: table.readDoubleLE(at + 36),
    kind: table.readUInt32LE(at + 44),
    isLast: table.readUInt32LE(at + 48) === 1,
  };
}
