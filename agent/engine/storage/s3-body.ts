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

/** Until it is disposed of, when the request is over. */
export interface PacedBody extends Disposable {
  readonly stream: Readable;
}

/** The same at a rate; a change of it holds for what was not sent yet. */
export function pacedBody(
  pieces: readonly Uint8Array[],
  rate: SmoothRate,
  signal: AbortSignal,
): PacedBody {
  const over = new AbortController();
  const slices = slicesOf(pieces, rate, AbortSignal.any([signal, over.signal]));
  const stream = Readable.from(slices, { objectMode: false, highWaterMark: 1 });
  // The request ends by the same signal, and it is the request that is waited for.
  stream.on('error', () => undefined);
  return {
    stream,
    [Symbol.dispose]() {
      // What the server has not taken by now it does not want.
      stream.destroy();
      over.abort();
    },
  };
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
