// The bytes of a request and of an answer. Pieces go out as they lie in memory: one as it is,
// several as a stream of known length.

import { Readable } from 'node:stream';
import { asBuffer } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import { truncatedError } from './blob-id.ts';

/** A body for one attempt; a stream can be sent only once. Nothing is copied. */
export function requestBody(pieces: readonly Uint8Array[]): Uint8Array | Readable {
  const [only, ...others] = pieces.filter(piece => piece.length > 0);
  if (!only) return new Uint8Array();
  if (others.length === 0) return asBuffer(only);
  return Readable.from([only, ...others].map(asBuffer), { objectMode: false });
}

export interface ExpectedBody {
  readonly id: string;
  /** As the answer's header says, if it does. */
  readonly bytes: number | undefined;
  readonly bytesMax: number;
}

/**
 * Reads an answer's body to its end, into memory of its own.
 * @throws STORAGE_BLOB_TRUNCATED it ended or broke sooner than its header said
 * @throws LIMIT_EXCEEDED
 */
export async function readBody(body: Readable, expected: ExpectedBody): Promise<Uint8Array> {
  const { id, bytes, bytesMax } = expected;
  if (bytes !== undefined && bytes > bytesMax) {
    body.destroy();
    throw tooLarge(id, bytesMax);
  }
  return bytes === undefined ? readUnsized(body, id, bytesMax) : readSized(body, id, bytes);
}

async function readSized(body: Readable, id: string, length: number): Promise<Uint8Array> {
  // Not from the pool: the caller may give the memory away to another thread.
  const all = Buffer.allocUnsafeSlow(length);
  let done = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      done += chunk.copy(all, done);
    }
  } catch (error) {
    throw brokenBody(error, id, length, done);
  }
  if (done !== length) throw truncatedError(id, length, done);
  return new Uint8Array(all.buffer, all.byteOffset, length);
}

async function readUnsized(body: Readable, id: string, bytesMax: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let got = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      got += chunk.length;
      if (got > bytesMax) throw tooLarge(id, bytesMax);
    }
  } catch (error) {
    throw brokenBody(error, id, undefined, got);
  }
  const all = Buffer.allocUnsafeSlow(got);
  let done = 0;
  for (const chunk of chunks) done += chunk.copy(all, done);
  return new Uint8Array(all.buffer, all.byteOffset, all.length);
}

function brokenBody(
  error: unknown,
  id: string,
  expected: number | undefined,
  got: number,
): unknown {
  const isOurs = error instanceof EngineError;
  const isTimeout = error instanceof Error && /TimeoutError|AbortError/.test(error.name);
  return isOurs || isTimeout ? error : truncatedError(id, expected, got);
}

function tooLarge(id: string, bytesMax: number): EngineError {
  return new EngineError(
    'LIMIT_EXCEEDED',
    `blob ${id} has more than the ${bytesMax} bytes that can be read at once`,
  );
}
