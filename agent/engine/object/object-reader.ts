// Objects as streams of bytes. An object is one content, or a list of chunks which are objects
// again (kopia-format.md 8.1, 8.2); whoever reads sees bytes at offsets. Contents arrive verified,
// so what is checked here is that each chunk has exactly the length that its list gives it.

import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import { ORIGINAL_BYTES_MAX } from '#engine/compress/decompress.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import type { IndirectEntry } from '#engine/format/indirect.ts';
import { parseObjectId } from '#engine/format/object-id.ts';
import { openChunkList, type ChunkList } from './chunk-list.ts';
import { chunkBytes, inflateStored, readInOrder } from './chunk-reading.ts';

/** Lists of lists; two levels hold 100 TB with chunks of 4 MiB. */
const DEPTH_MAX = 8;
/** The most that one read() returns. */
const READ_BYTES_MAX = 1 << 30;

export interface ReadOptions {
  readonly signal?: AbortSignal;
}

export interface StreamOptions extends ReadOptions {
  readonly offset?: number;
  /** To the end when absent. */
  readonly length?: number;
}

/** A piece of an object that is one content. */
export interface ObjectChunk {
  readonly contentId: string;
  /** Where it begins in the object. */
  readonly offset: number;
  /** Its length in the object. */
  readonly bytes: number;
  /** The content holds a compressed stream (`Z`, kopia-format.md 8.4). */
  readonly isCompressed: boolean;
}

export interface ObjectReader {
  readonly objectId: string;
  /** Length of the object. */
  readonly bytes: number;

  /**
   * Up to `length` bytes from `offset`, fewer only at the end of the object.
   * @throws OBJECT_DAMAGED, LIMIT_EXCEEDED for more than 1 GiB, and what reading contents throws
   */
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array>;

  /** The bytes in order, chunk by chunk, with some MiB read ahead. */
  stream(options?: StreamOptions): AsyncIterable<Uint8Array>;

  /** The chunks that hold bytes, in order, from the one that covers `offset`; lists are paged. */
  chunks(options?: { offset?: number } & ReadOptions): AsyncIterable<ObjectChunk>;

  /** Every content that the object needs, those of its lists included; repetitions as they come. */
  contentIds(options?: ReadOptions): AsyncIterable<string>;
}

/**
 * Opens an object. Reads as much of its list as the length takes, and nothing of a plain one.
 * @throws OBJECT_ID_INVALID, OBJECT_DAMAGED, CONTENT_NOT_FOUND and what reading contents throws
 */
export async function openObject(
  contents: ContentSource,
  objectId: string,
  options: ReadOptions = {},
): Promise<ObjectReader> {
  return await openAtDepth(contents, objectId, options, 0);
}

async function openAtDepth(
  contents: ContentSource,
  objectId: string,
  options: ReadOptions,
  depth: number,
): Promise<ObjectReader> {
  throwIfAborted(options.signal);
  if (depth > DEPTH_MAX) throw damaged(objectId, `its lists are nested deeper than ${DEPTH_MAX}`);
  const { indirection, isCompressed, contentId } = parseObjectId(objectId);
  if (indirection > DEPTH_MAX) {
    throw damaged(objectId, `its lists are nested deeper than ${DEPTH_MAX}`);
  }
  if (indirection > 0) {
    const list = await openAtDepth(contents, objectId.slice(1), options, depth + 1);
    return new IndirectReader(
      { contents, objectId, list, depth },
      await openChunkList(list, options),
    );
  }
  const bytes = await directBytes(contents, { contentId, isCompressed }, options);
  return new DirectReader(contents, objectId, { contentId, offset: 0, bytes, isCompressed });
}

/** The length of an object that is one content; of an unknown or compressed one by reading it. */
async function directBytes(
  contents: ContentSource,
  { contentId, isCompressed }: Pick<ObjectChunk, 'contentId' | 'isCompressed'>,
  options: ReadOptions,
): Promise<number> {
  const entry = isCompressed ? undefined : contents.find(contentId);
  if (entry) return entry.originalBytes;
  const stored = await contents.read(contentId, options);
  return isCompressed ? inflateStored(stored, ORIGINAL_BYTES_MAX).length : stored.length;
}

/** What both kinds of objects do with their chunks. */
abstract class ChunkedReader implements ObjectReader {
  readonly objectId: string;
  abstract readonly bytes: number;
  readonly contents: ContentSource;

  constructor(contents: ContentSource, objectId: string) {
    this.contents = contents;
    this.objectId = objectId;
  }

  abstract chunks(options?: { offset?: number } & ReadOptions): AsyncIterable<ObjectChunk>;
  abstract contentIds(options?: ReadOptions): AsyncIterable<string>;

  async read(offset: number, length: number, { signal }: ReadOptions = {}): Promise<Uint8Array> {
    const available = Math.max(0, Math.min(length, this.bytes - offset));
    if (available > READ_BYTES_MAX) {
      const text = `reading ${available} bytes of object ${this.objectId} at once was refused`;
      throw new EngineError('LIMIT_EXCEEDED', `${text}; stream it`);
    }
    if (available === this.bytes) return await this.readWhole({ signal });
    const result = new Uint8Array(available);
    let filled = 0;
    for await (const piece of this.stream({ signal, offset, length: available })) {
      result.set(piece, filled);
      filled += piece.length;
    }
    return result;
  }

  protected async readWhole(options: ReadOptions): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.stream(options)) pieces.push(piece);
    // One piece is the caller's already; only several have to be joined.
    return pieces.length === 1 ? pieces[0] : new Uint8Array(Buffer.concat(pieces));
  }

  async *stream(options: StreamOptions = {}): AsyncIterable<Uint8Array> {
    const { offset = 0, length = this.bytes, signal } = options;
    const end = Math.min(this.bytes, offset + length);
    if (offset >= end && this.bytes > 0) return;
    const chunks = until(this.chunks({ offset, signal }), end);
    for await (const { chunk, bytes } of readInOrder(this, chunks, { signal })) {
      const from = Math.max(0, offset - chunk.offset);
      yield bytes.subarray(from, Math.min(chunk.bytes, end - chunk.offset));
    }
  }
}

async function* until(chunks: AsyncIterable<ObjectChunk>, end: number): AsyncIterable<ObjectChunk> {
  for await (const chunk of chunks) {
    if (chunk.offset >= end && chunk.offset > 0) return;
    yield chunk;
  }
}

class DirectReader extends ChunkedReader {
  readonly bytes: number;
  readonly #chunk: ObjectChunk;

  constructor(contents: ContentSource, objectId: string, chunk: ObjectChunk) {
    super(contents, objectId);
    this.bytes = chunk.bytes;
    this.#chunk = chunk;
  }

  async *chunks(): AsyncIterable<ObjectChunk> {
    yield this.#chunk;
  }

  /** Without a pipeline: directories are read by the hundred thousand. */
  protected override async readWhole(options: ReadOptions): Promise<Uint8Array> {
    const stored = await this.contents.read(this.#chunk.contentId, options);
    return chunkBytes(this.objectId, this.#chunk, stored);
  }

  async *contentIds(): AsyncIterable<string> {
    yield this.#chunk.contentId;
  }
}

interface IndirectParts {
  readonly contents: ContentSource;
  readonly objectId: string;
  readonly list: ObjectReader;
  readonly depth: number;
}

class IndirectReader extends ChunkedReader {
  readonly bytes: number;
  readonly #list: ObjectReader;
  readonly #entries: ChunkList;
  readonly #depth: number;

  constructor({ contents, objectId, list, depth }: IndirectParts, entries: ChunkList) {
    super(contents, objectId);
    this.bytes = entries.bytes;
    this.#list = list;
    this.#entries = entries;
    this.#depth = depth;
  }

  async *chunks(options: { offset?: number } & ReadOptions = {}): AsyncIterable<ObjectChunk> {
    const { offset = 0, signal } = options;
    for await (const entry of this.#entries.entriesFrom(offset, { signal })) {
      const { indirection, isCompressed, contentId } = parseObjectId(entry.objectId);
      if (indirection === 0) {
        yield { contentId, offset: entry.start, bytes: entry.length, isCompressed };
        continue;
      }
      const nested = await this.#openNested(entry, { signal });
      const within = { signal, offset: Math.max(0, offset - entry.start) };
      for await (const chunk of nested.chunks(within)) {
        yield { ...chunk, offset: entry.start + chunk.offset };
      }
    }
  }

  async *contentIds(options: ReadOptions = {}): AsyncIterable<string> {
    yield* this.#list.contentIds(options);
    for await (const entry of this.#entries.entriesFrom(0, options)) {
      const { indirection, contentId } = parseObjectId(entry.objectId);
      if (indirection === 0) yield contentId;
      else yield* (await this.#openNested(entry, options)).contentIds(options);
    }
  }

  async #openNested(entry: IndirectEntry, options: ReadOptions): Promise<ObjectReader> {
    const nested = await openAtDepth(this.contents, entry.objectId, options, this.#depth + 1);
    if (nested.bytes === entry.length) return nested;
    const lengths = `${nested.bytes} bytes instead of ${entry.length}`;
    throw damaged(this.objectId, `its part ${entry.objectId} has ${lengths}`);
  }
}

function damaged(objectId: string, reason: string): EngineError {
  const text = `reading object ${objectId} failed: ${reason}; verify the repository`;
  return new EngineError('OBJECT_DAMAGED', text, { details: { objectId } });
}
