// Streams that other programs wrote. A test of a decoder that reads what its own encoder wrote
// proves little.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fromHex } from '#engine/base/bytes.ts';
import { withHeaderId } from '#engine/compress/compressions.ts';

export interface StoredVector {
  readonly name: string;
  readonly headerId: number;
  readonly stored: Uint8Array;
  readonly originalBytes: number;
  readonly sha256: string;
}

// kopia-format.md 16.8, printed by kopia 0.12.1: 200 times "kopia " and 64 bytes.
const KOPIA_SHA256 = '735393771483fe73a2ac41078a0c19c0cc76329a4cbb9a110b74137e1f48b1ea';
const KOPIA_HEX: readonly { name: string; headerId: number; hex: string }[] = [
  {
    name: 'zstd-fastest',
    headerId: 0x1101,
    hex:
      '0000110128b52ffd64f0037d020064046b6f70696120af5570f5a1810b7af78caf4bc70a660f0df51e42baf9' +
      '1d4de5b2328de0e83dfccd2662154e6d76b2b2b92e70c0cac3ccf534f9b74eb5b89819ec509083d00a500154' +
      '06032ea724fc4176e0',
  },
  {
    name: 'zstd',
    headerId: 0x1100,
    hex:
      '0000110028b52ffd64f0037d020064046b6f70696120af5570f5a1810b7af78caf4bc70a660f0df51e42baf9' +
      '1d4de5b2328de0e83dfccd2662154e6d76b2b2b92e70c0cac3ccf534f9b74eb5b89819ec509083d00a500154' +
      '06032ea724fc4176e0',
  },
  {
    name: 's2-default',
    headerId: 0x1200,
    hex:
      '00001200ff06000053327354774f00550000d1628e1ef009146b6f70696120110619009e03f03faf5570f5a1' +
      '810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfccd2662154e6d76b2b2b92e70c0cac3ccf5' +
      '34f9b74eb5b89819ec509083d00a50',
  },
  {
    name: 's2-better',
    headerId: 0x1201,
    hex:
      '00001201ff06000053327354774f00550000d1628e1ef009146b6f70696120110619009e03f03faf5570f5a1' +
      '810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfccd2662154e6d76b2b2b92e70c0cac3ccf5' +
      '34f9b74eb5b89819ec509083d00a50',
  },
  {
    name: 'gzip',
    headerId: 0x1000,
    hex:
      '000010001f8b08000000000000ffcace2fc84c54182547c95172941cfce4fad082af0b1bb9abbef7acf73ece' +
      '95c6cffb55ce69d74f59dfa79b8c7a1fbcb0fd73562d49d42fb76cd3a69d7a05074e1d3ef3d5e4e776bfad3b' +
      '6648be0998d07c812b00100000ffff44f6ac47f0040000',
  },
  {
    name: 'deflate-default',
    headerId: 0x1500,
    hex:
      '00001500cace2fc84c54182547c95172941cfce4fad082af0b1bb9abbef7acf73ece95c6cffb55ce69d74f59' +
      'dfa79b8c7a1fbcb0fd73562d49d42fb76cd3a69d7a05074e1d3ef3d5e4e776bfad3b6648be0998d07c812b00' +
      '3000',
  },
  {
    name: 'pgzip',
    headerId: 0x1300,
    hex:
      '000013001f8b080000096e8800ffcace2fc84c54182547c95172941cfce4fad082af0b1bb9abbef7acf73ece' +
      '95c6cffb55ce69d74f59dfa79b8c7a1fbcb0fd73562d49d42fb76cd3a69d7a05074e1d3ef3d5e4e776bfad3b' +
      '6648be0998d07c812b00000000ffff030044f6ac47f0040000',
  },
  {
    name: 'lz4',
    headerId: 0x1400,
    hex:
      '0000140004224d186470b9500000006f6b6f706961200600ffffffff9bf031af5570f5a1810b7af78caf4bc7' +
      '0a660f0df51e42baf91d4de5b2328de0e83dfccd2662154e6d76b2b2b92e70c0cac3ccf534f9b74eb5b89819' +
      'ec509083d00a5000000000649d409b',
  },
];

// test/vectors/compress, see the README there: name, header id, plain bytes, their SHA-256.
const FAR = 'ee46fb44eedd584c5f5290ba726845c0d42e8fd393b4c8ee1876a8ac153f2f87';
const PLAIN = '7e098e2a77846fb72e4806b43f01855fc75c854fc1462dce1f21608104c89ad8';
const FILES: readonly (readonly [name: string, headerId: number, bytes: number, sha256: string])[] =
  [
    ['default.s2', 0x1200, 102711, FAR],
    [
      'better.s2',
      0x1201,
      14000,
      '3a341383e891b8e563571cee4d1c2152fae38992a908018be6dbc5e4540d7164',
    ],
    ['best.s2', 0x1201, 102711, FAR],
    ['parallel.s2', 0x1203, 102711, FAR],
    ['snappy.s2', 0x1200, 6000, '4328d3af0b2a56603013d4fb29fe5d0386caa41de0d76d6a1684ebc35be0bf1a'],
    ['plain.s2', 0x1200, 700, PLAIN],
    ['default.lz4', 0x1400, 102711, FAR],
    ['blocks.lz4', 0x1400, 102711, FAR],
    ['plain.lz4', 0x1400, 700, PLAIN],
    [
      'linked.lz4',
      0x1400,
      137000,
      '97b1562c821081b5c5551715815841c9de22ef2fc33601fbaeb0113a81616c4d',
    ],
  ];

/** The stream in test/vectors/compress/`name`, without a header id. */
export function streamOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../vectors/compress/${name}`, import.meta.url)));
}

export const STORED_VECTORS: readonly StoredVector[] = [
  ...KOPIA_HEX.map(({ name, headerId, hex }) => ({
    name,
    headerId,
    stored: fromHex(hex) ?? new Uint8Array(0),
    originalBytes: 1264,
    sha256: KOPIA_SHA256,
  })),
  ...FILES.map(([name, headerId, originalBytes, sha256]) => ({
    name,
    headerId,
    stored: withHeaderId(headerId, streamOf(name)),
    originalBytes,
    sha256,
  })),
];

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
