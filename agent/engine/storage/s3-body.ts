// The bytes of a request. Pieces go out as they lie in memory: one as it is, several as a stream of
// known length; with a rate in any case as a stream, as slices that pass one after the other.

import { Readable } from 'node:stream';
import { asBuffer } from '#engine/base/bytes.ts';
import type { SmoothRate } from '#engine/base/smooth-rate.ts';

/** A body for one attempt; a stream can be sent only once. Nothing is copied. */
export function requestBody(pieces: readonly Uint8Array[]): Uint8Array | Readable {
  const [only, ...others] = pieces.filter(piece => piece.length > 0);
  if (!only) return new Uint8Array();
  if (others.length === 0) return asBuffer(only);
  return Readable.from([only, ...others].map(asBuffer), { objectMode: false });
}

/**
 * The same at a rate. Its owner destroys it, and fires the signal, when the request is over; until
 * then a change of the rate holds for what was not sent yet.
 */
export function pacedBody(
  pieces: readonly Uint8Array[],
  rate: SmoothRate,
  signal: AbortSignal,
): Readable {
  const body = Readable.from(slicesOf(pieces, rate, signal), {
    objectMode: false,
    highWaterMark: 1,
  });
  // The request ends by the same signal, and it is the request that is waited for.
  body.on('error', () => undefined);
  return body;
}

async function* slicesOf(
  pieces: readonly Uint8Array[],
  rate: SmoothRate,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  for (const piece of pieces) {
    for await (const slice of rate.pieces(piece, signal)) yield asBuffer(slice);
  }
}
