// Compression from one piece of memory into another, without garbage where it can be had.

import type { Arena } from '#engine/base/arena.ts';
import type { Compressor } from './compressors.ts';
import { HEADER_BYTES } from './compressions.ts';
import { nativeZstd } from './native-zstd.ts';

export interface ArenaRegion {
  readonly arena: Arena;
  readonly offset: number;
}

/**
 * Writes the stored form of `length` bytes at `input` (header id and stream) to `output`, if that
 * is at most `outputBytesMax` bytes.
 * @returns its length, or 0 when it would be longer
 */
export function compressRegion(
  compressor: Compressor,
  input: ArenaRegion,
  length: number,
  output: ArenaRegion,
  outputBytesMax: number,
): number {
  const encoder =
    compressor.zstdLevel === undefined || input.arena.address === 0
      ? undefined
      : nativeZstd(compressor.zstdLevel);
  const target = output.arena.bytes;
  if (encoder === undefined) {
    const bytes = input.arena.bytes.subarray(input.offset, input.offset + length);
    const stored = compressor.compress(bytes);
    if (stored.length > outputBytesMax) return 0;
    target.set(stored, output.offset);
    return stored.length;
  }
  const streamBytes = encoder(
    input.arena,
    input.offset,
    length,
    output.arena,
    output.offset + HEADER_BYTES,
    outputBytesMax - HEADER_BYTES,
  );
  if (streamBytes === 0) return 0;
  writeHeader(target, output.offset, compressor.headerId);
  return HEADER_BYTES + streamBytes;
}

function writeHeader(bytes: Uint8Array, offset: number, headerId: number): void {
  bytes[offset] = headerId >>> 24;
  bytes[offset + 1] = headerId >>> 16;
  bytes[offset + 2] = headerId >>> 8;
  bytes[offset + 3] = headerId;
}
