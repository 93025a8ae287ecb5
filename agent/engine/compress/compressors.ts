// From what a policy names as compressor to what we write for it.

import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { EngineError } from '#engine/base/errors.ts';
import { compressZstd, ZSTD_LEVELS } from './compress-zstd.ts';
import { compressionByName, COMPRESSIONS, withHeaderId } from './compressions.ts';

export interface Compressor {
  readonly name: string;
  readonly headerId: number;
  /** libzstd's level, where the stream is zstd. */
  readonly zstdLevel?: number;
  /** u32be(headerId) || stream, in memory of its own; may be longer than `data`. */
  readonly compress: (data: Uint8Array) => Uint8Array;
}

/**
 * The compressor that a policy names, or undefined when it is one that we read and do not write
 * (S2, LZ4). The names `none` and the empty one, which stand for no compressor, are the caller's.
 * @throws ALGORITHM_UNKNOWN
 */
export function compressorByName(name: string): Compressor | undefined {
  const zstd = Object.hasOwn(ZSTD_LEVELS, name) ? ZSTD_LEVELS[name] : undefined;
  if (zstd !== undefined) {
    const { headerId, level } = zstd;
    return { name, headerId, zstdLevel: level, compress: data => compressZstd(data, zstd) };
  }
  const compression = compressionByName(name);
  if (compression === undefined) throw unknownCompressor(name);
  const { headerId, family } = compression;
  const level = zlibLevel(name);
  if (family === 'gzip') {
    return { name, headerId, compress: data => withHeaderId(headerId, gzipSync(data, { level })) };
  }
  if (family === 'deflate') {
    return {
      name,
      headerId,
      compress: data => withHeaderId(headerId, deflateRawSync(data, { level })),
    };
  }
  return undefined;
}

function zlibLevel(name: string): number {
  if (name.endsWith('-best-speed')) return constants.Z_BEST_SPEED;
  if (name.endsWith('-best-compression')) return constants.Z_BEST_COMPRESSION;
  return constants.Z_DEFAULT_COMPRESSION;
}

function unknownCompressor(name: string): EngineError {
  const known = COMPRESSIONS.map(compression => compression.name).join(', ');
  return new EngineError(
    'ALGORITHM_UNKNOWN',
    `compressor "${name}" is not known here; known are ${known} and zstd:1 to zstd:19; change ` +
      'the compression policy, or use a newer version of this program',
    { details: { family: 'compression', name } },
  );
}
