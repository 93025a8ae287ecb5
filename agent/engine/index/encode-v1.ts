// Writing of index file version 1, for tests of legacy repositories; version 2 is what we write.

import { EngineError } from '#engine/base/errors.ts';
import { writeU32 } from './file-check.ts';
import { V1_ENTRY_BYTES, V1_HEADER_BYTES, V1_KEY_BYTES_EMPTY } from './file-v1.ts';
import type { IndexRows } from './rows.ts';

/**
 * The bytes of an index file with the entries of `order`, which are row numbers in strictly
 * ascending key order. Original lengths are not stored.
 * @throws LIMIT_EXCEEDED when a row is compressed, which version 1 cannot say
 */
export function encodeIndexV1(rows: IndexRows, order: Uint32Array): Uint8Array {
  const namesOffset = V1_HEADER_BYTES + order.length * (rows.keyBytes + V1_ENTRY_BYTES);
  const nameOffsets = new Map<number, number>();
  let nameAt = namesOffset;
  for (const row of order) {
    const pack = rows.packIndexAt(row);
    if (rows.compressionAt(row) !== 0) {
      throw new EngineError('LIMIT_EXCEEDED', 'index version 1 has no room for a compression');
    }
    if (nameOffsets.has(pack)) continue;
    nameOffsets.set(pack, nameAt);
    nameAt += rows.packs.lengthAt(pack);
  }
  const bytes = new Uint8Array(nameAt);
  bytes[0] = 1;
  bytes[1] = order.length === 0 ? V1_KEY_BYTES_EMPTY : rows.keyBytes;
  bytes[3] = V1_ENTRY_BYTES;
  writeU32(bytes, 4, order.length);
  let at = V1_HEADER_BYTES;
  for (const row of order) {
    bytes.set(rows.keys.subarray(row * rows.keyBytes, (row + 1) * rows.keyBytes), at);
    writeValue(bytes, at + rows.keyBytes, { rows, row, nameOffsets });
    at += rows.keyBytes + V1_ENTRY_BYTES;
  }
  for (const [pack, offset] of nameOffsets) rows.packs.copyIdAt(pack, bytes, offset);
  return bytes;
}

function writeValue(
  bytes: Uint8Array,
  at: number,
  source: { rows: IndexRows; row: number; nameOffsets: ReadonlyMap<number, number> },
): void {
  const { rows, row, nameOffsets } = source;
  const pack = rows.packIndexAt(row);
  writeU32(bytes, at + 2, rows.timestampAt(row));
  bytes[at + 6] = rows.formatVersionAt(row);
  bytes[at + 7] = rows.packs.lengthAt(pack);
  writeU32(bytes, at + 8, nameOffsets.get(pack) ?? 0);
  writeU32(bytes, at + 12, rows.offsetAt(row) | (rows.isDeletedAt(row) ? 0x80000000 : 0));
  writeU32(bytes, at + 16, rows.packedBytesAt(row));
}
