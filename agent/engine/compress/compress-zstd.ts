// Writing zstd, which is what we compress with. The header id records which of kopia's four levels
// comes nearest; readers treat them alike. Up to level 19 libzstd's window is at most 8 MiB, which
// is as much as other readers can be expected to take (kopia-format.md 8.3).

import { constants, zstdCompressSync } from 'node:zlib';
import { withHeaderId } from './compressions.ts';

export interface ZstdLevel {
  readonly headerId: number;
  /** libzstd's level, 1 (fast) to 19 (small). */
  readonly level: number;
}

const LEVEL_MAX = 19;

const FASTEST = 0x1101;
const DEFAULT = 0x1100;
const BETTER = 0x1102;
const BEST = 0x1103;

/** As kopia's encoder maps libzstd's levels (klauspost/compress zstd, EncoderLevelFromZstd). */
function headerIdOf(level: number): number {
  if (level < 3) return FASTEST;
  if (level < 6) return DEFAULT;
  return level < 10 ? BETTER : BEST;
}

function zstdLevel(headerId: number, level: number): ZstdLevel {
  return Object.freeze({ headerId, level });
}

const NUMBERED = Array.from({ length: LEVEL_MAX }, (_, i) => i + 1);

/** By kopia's names of its zstd compressors, and by `zstd:1` to `zstd:19`. */
export const ZSTD_LEVELS: Readonly<Record<string, ZstdLevel>> = Object.freeze({
  'zstd-fastest': zstdLevel(FASTEST, 1),
  zstd: zstdLevel(DEFAULT, 3),
  'zstd-better-compression': zstdLevel(BETTER, 7),
  'zstd-best-compression': zstdLevel(BEST, 11),
  ...Object.fromEntries(
    NUMBERED.map(level => [`zstd:${level}`, zstdLevel(headerIdOf(level), level)]),
  ),
});

/** The stored form of `data`: header id and one zstd frame with its size and a checksum in it. */
export function compressZstd(data: Uint8Array, { headerId, level }: ZstdLevel): Uint8Array {
  const stream = zstdCompressSync(data, {
    chunkSize: chunkBytesFor(data.length),
    pledgedSrcSize: data.length,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_contentSizeFlag]: 1,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
  return withHeaderId(headerId, stream);
}

/** Enough for incompressible input where that is small, steps of 256 KiB otherwise. */
function chunkBytesFor(inputBytes: number): number {
  return Math.min(2 ** 18, Math.max(1024, inputBytes + 512));
}
