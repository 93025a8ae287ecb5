// The bytes of a request. Pieces go out as they lie in memory: one as it is, several as a stream of
// known length.

import { Readable } from 'node:stream';
import { asBuffer } from '#engine/base/bytes.ts';

/** A body for one attempt; a stream can be sent only once. Nothing is copied. */
export function requestBody(pieces: readonly Uint8Array[]): Uint8Array | Readable {
  const [only, ...others] = pieces.filter(piece => piece.length > 0);
  if (!only) return new Uint8Array();
  if (others.length === 0) return asBuffer(only);
  return Readable.from([only, ...others].map(asBuffer), { objectMode: false });
}
