// The entries and files of kopia-format.md 16.5, printed by kopia v0.12.1.

import { IndexRows, type RowFields } from '#engine/index/rows.ts';

export const P1 = 'p0123456789abcdef0123456789abcdef-s0011223344556677140';
export const Q1 = 'qfedcba9876543210fedcba9876543210-s0011223344556677140';

function key(prefix: number, hash: string): Uint8Array {
  return new Uint8Array([prefix, ...Buffer.from(hash, 'hex')]);
}

interface RowEntry extends RowFields {
  readonly key: Uint8Array;
}

const A: RowEntry = {
  key: key(0, '00112233445566778899aabbccddeeff'),
  timestampSeconds: 1767225600,
  packIndex: 0,
  packOffset: 32,
  packedBytes: 33,
  originalBytes: 5,
  compressionId: 0,
  formatVersion: 3,
  isDeleted: false,
};

const B: RowEntry = {
  ...A,
  key: key(0x6b, '00112233445566778899aabbccddeeff'),
  timestampSeconds: 1767225601,
  packIndex: 1,
  packedBytes: 210,
  originalBytes: 300,
  compressionId: 0x1101,
};

const C: RowEntry = {
  ...A,
  key: key(0, 'ffeeddccbbaa99887766554433221100'),
  timestampSeconds: 1767225602,
  packOffset: 65,
  packedBytes: 1000028,
  originalBytes: 1000000,
  isDeleted: true,
};

const LONG: RowEntry = {
  ...A,
  originalBytes: 17 * 2 ** 20,
  packedBytes: 17 * 2 ** 20 + 28,
};

// Version 1 has no compression, and derives the original length.
const B1: RowEntry = { ...B, compressionId: 0, originalBytes: 210 - 28 };

/** Rows of 16-byte hashes in packs P1 and Q1. */
export function rowsOf(entries: readonly RowEntry[]): IndexRows {
  const rows = new IndexRows(17);
  rows.addPack(P1);
  rows.addPack(Q1);
  for (const entry of entries) rows.add(entry.key, 0, entry);
  return rows;
}

const P1_HEX = Buffer.from(P1).toString('hex');
const Q1_HEX = Buffer.from(Q1).toString('hex');

export interface IndexVector {
  readonly name: string;
  readonly version: 1 | 2;
  /** Not in key order. */
  readonly entries: readonly RowEntry[];
  readonly hex: string;
}

export const INDEX_VECTORS: readonly IndexVector[] = [
  {
    name: 'version 2 with two formats',
    version: 2,
    entries: [B, C, A],
    hex:
      '0211001100000003000000020200000000' +
      '0000112233445566778899aabbccddeeff6955b90000000020000005000021000000' +
      '00ffeeddccbbaa998877665544332211006955b902800000410f42400f425c000000' +
      '6b00112233445566778899aabbccddeeff6955b9010000002000012c0000d2000101' +
      `360000008d36000000c3000000000300000011010300${P1_HEX}${Q1_HEX}`,
  },
  {
    name: 'version 2 with one format',
    version: 2,
    entries: [A],
    hex:
      '0211001000000001000000010100000000' +
      '0000112233445566778899aabbccddeeff6955b900000000200000050000210000' +
      `360000003d000000000300${P1_HEX}`,
  },
  {
    name: 'version 2 with a content above 16 MiB',
    version: 2,
    entries: [LONG],
    hex:
      '0211001300000001000000010100000000' +
      '0000112233445566778899aabbccddeeff6955b9000000002010000010001c000000' +
      `00113600000040000000000300${P1_HEX}`,
  },
  {
    name: 'version 1',
    version: 1,
    entries: [C, B1, A],
    hex:
      '0111001400000003' +
      '0000112233445566778899aabbccddeeff00006955b9000336000000770000002000000021' +
      '00ffeeddccbbaa9988776655443322110000006955b90203360000007780000041000f425c' +
      '6b00112233445566778899aabbccddeeff00006955b9010336000000ad00000020000000d2' +
      `${P1_HEX}${Q1_HEX}`,
  },
];
