// From the stored bytes of a compressed content back to the plain ones. One decoder a family.

import { EngineError } from '#engine/base/errors.ts';
import {
  compressionByHeaderId,
  COMPRESSIONS,
  formatHeaderId,
  HEADER_BYTES,
  readHeaderId,
  type CompressionFamily,
} from './compressions.ts';
import { decodeLz4Frames } from './lz4-frame.ts';
import { decodeS2Stream } from './s2-stream.ts';
import { damagedStream } from './stream-errors.ts';
import { decodeDeflate, decodeGzip, decodeZstd } from './zlib-streams.ts';

/** Whatever a caller asks for, no content is decompressed beyond this. */
export const ORIGINAL_BYTES_MAX = 256 * 2 ** 20;

/** Decodes a whole stream to at most `limitBytes`, into memory of its own. */
type Decoder = (stream: Uint8Array, limitBytes: number) => Uint8Array;

const DECODERS: Readonly<Record<CompressionFamily, Decoder>> = Object.freeze({
  gzip: decodeGzip,
  zstd: decodeZstd,
  s2: decodeS2Stream,
  lz4: decodeLz4Frames,
  deflate: decodeDeflate,
});

/**
 * The plain bytes of a stored content that begins with its header id, in an ArrayBuffer of their
 * own.
 * @param headerId what the index says
 * @param originalBytesMax how many plain bytes may come out; ORIGINAL_BYTES_MAX at most
 * @throws ALGORITHM_UNKNOWN
 * @throws CONTENT_DAMAGED when the content begins with another header id or the stream is malformed
 * @throws LIMIT_EXCEEDED when more bytes would come out
 */
export function decompress(
  headerId: number,
  data: Uint8Array,
  originalBytesMax: number,
): Uint8Array {
  const compression = compressionByHeaderId(headerId);
  if (compression === undefined) throw unknownCompression(headerId);
  const found = readHeaderId(data);
  if (found !== headerId) {
    const what = found === undefined ? `only ${data.length} bytes` : formatHeaderId(found);
    throw damagedStream(
      compression.family,
      `it should begin with header id ${formatHeaderId(headerId)} and has ${what}`,
    );
  }
  const limitBytes = Math.min(originalBytesMax, ORIGINAL_BYTES_MAX);
  return DECODERS[compression.family](data.subarray(HEADER_BYTES), limitBytes);
}

function unknownCompression(headerId: number): EngineError {
  const name = formatHeaderId(headerId);
  const known = COMPRESSIONS.map(each => formatHeaderId(each.headerId)).join(', ');
  return new EngineError(
    'ALGORITHM_UNKNOWN',
    `a content is compressed in form ${name}, which is not known here; known are ${known}; ` +
      'a newer version of this program may know it',
    { details: { family: 'compression', name } },
  );
}
