// Turning chunks into bytes: one by one, or in order with a bounded number of bytes read ahead.

import { EngineError } from '#engine/base/errors.ts';
import { decompress } from '#engine/compress/decompress.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import type { ObjectChunk, ReadOptions } from './object-reader.ts';

const READ_AHEAD_BYTES = 32 << 20;
const READ_AHEAD_CHUNKS = 16;

interface ChunkOwner {
  readonly objectId: string;
  readonly contents: ContentSource;
}

interface Arriving {
  readonly chunk: ObjectChunk;
  readonly bytes: Promise<Uint8Array>;
}

/**
 * The bytes of a chunk out of the plaintext of its content.
 * @throws OBJECT_DAMAGED naming the object and the content
 */
export function chunkBytes(objectId: string, chunk: ObjectChunk, stored: Uint8Array): Uint8Array {
  const bytes = chunk.isCompressed ? inflate(objectId, chunk, stored) : stored;
  if (bytes.length === chunk.bytes) return bytes;
  throw damagedChunk(objectId, chunk, `it has ${bytes.length} bytes instead of ${chunk.bytes}`);
}

function inflate(objectId: string, chunk: ObjectChunk, stored: Uint8Array): Uint8Array {
  try {
    return inflateStored(stored, chunk.bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw damagedChunk(objectId, chunk, reason, error);
  }
}

/** Decompresses what a `Z` object's content holds: a compression header and a stream. */
export function inflateStored(stored: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  if (stored.length < 4) throw new EngineError('OBJECT_DAMAGED', 'no room for its header');
  return decompress(view.getUint32(0), stored, bytesMax);
}

function damagedChunk(
  objectId: string,
  chunk: ObjectChunk,
  reason: string,
  cause?: unknown,
): EngineError {
  const { contentId, offset } = chunk;
  const text = `reading object ${objectId} at ${offset} failed: chunk ${contentId}: ${reason}`;
  const options = { cause, details: { objectId, contentId } };
  return new EngineError('OBJECT_DAMAGED', `${text}; verify the repository`, options);
}

/** Chunks with their bytes, in order. What was not taken when the consumer stops is dropped. */
export async function* readInOrder(
  owner: ChunkOwner,
  chunks: AsyncIterable<ObjectChunk>,
  { signal }: ReadOptions,
): AsyncIterable<{ chunk: ObjectChunk; bytes: Uint8Array }> {
  const stop = new AbortController();
  const combined = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const source = chunks[Symbol.asyncIterator]();
  const ahead: Arriving[] = [];
  let aheadBytes = 0;
  let isExhausted = false;
  try {
    while (true) {
      while (!isExhausted && ahead.length < READ_AHEAD_CHUNKS && aheadBytes < READ_AHEAD_BYTES) {
        const next = await source.next();
        isExhausted = next.done === true;
        if (next.done === true) break;
        ahead.push(start(owner, next.value, combined));
        aheadBytes += next.value.bytes;
      }
      const first = ahead.shift();
      if (!first) return;
      yield { chunk: first.chunk, bytes: await first.bytes };
      aheadBytes -= first.chunk.bytes;
    }
  } finally {
    // An abort costs a stack trace, so only where somebody is there to hear it.
    if (!isExhausted || ahead.length > 0) stop.abort();
    await source.return?.();
    await Promise.allSettled(ahead.map(arriving => arriving.bytes));
  }
}

function start(
  { contents, objectId }: ChunkOwner,
  chunk: ObjectChunk,
  signal: AbortSignal,
): Arriving {
  const bytes = contents
    .read(chunk.contentId, { signal })
    .then(stored => chunkBytes(objectId, chunk, stored));
  // Somebody may stop before this one's turn; its failure is then nobody's.
  bytes.catch(() => undefined);
  return { chunk, bytes };
}
