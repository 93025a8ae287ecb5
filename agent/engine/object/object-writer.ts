// Writes objects whose bytes are at hand: directories, indirect lists, symlink targets. Runs in a
// worker thread beside the upload of files, which cuts and writes its chunks itself and comes here
// for the list of them (kopia repo/object/object_writer.go).

import type { Splitter } from '#engine/chunk/splitter.ts';
import { NONCE_BYTES, TAG_BYTES } from '#engine/cipher/content-cipher.ts';
import type { Compressor } from '#engine/compress/compressors.ts';
import { contentIdOfKnownKey } from '#engine/format/content-id.ts';
import { encodeIndirect, type IndirectEntry } from '#engine/format/indirect.ts';
import type { ContentWriter } from '#engine/workers/content-writer.ts';
import { PieceCursor } from './piece-cursor.ts';

export interface ObjectKind {
  /** ASCII code of the content prefix, or 0. */
  readonly prefix: number;
  readonly compressor?: Compressor;
}

/** Room that sealing in place needs before a chunk, rounded up to keep the chunk aligned. */
export const CHUNK_OFFSET = Math.ceil(NONCE_BYTES / 16) * 16;

/** What an arena must hold besides the longest chunk. */
export const CHUNK_MARGIN_BYTES = CHUNK_OFFSET + TAG_BYTES;

const INDIRECT_PREFIX = 'x'.charCodeAt(0);

export class ObjectWriter {
  readonly #contents: ContentWriter;
  readonly #splitter: Splitter;
  readonly #listCompressor: Compressor | undefined;

  /**
   * @param splitter the repository's own, over an arena of maxBytes + CHUNK_MARGIN_BYTES; the
   *   writer uses it only within a call
   * @param listCompressor compresses indirect lists
   */
  constructor(contents: ContentWriter, splitter: Splitter, listCompressor: Compressor | undefined) {
    this.#contents = contents;
    this.#splitter = splitter;
    this.#listCompressor = listCompressor;
  }

  /** Stores `bytes` as an object; returns its id. Durable only after the next flush. */
  write(bytes: Uint8Array, kind: ObjectKind): string {
    return this.writePieces([bytes], kind);
  }

  /** The same of bytes that lie in several pieces. */
  writePieces(pieces: readonly Uint8Array[], kind: ObjectKind): string {
    const bytes = new PieceCursor(pieces);
    const chunks: IndirectEntry[] = [];
    const { arena } = this.#splitter;
    this.#splitter.reset();
    let start = 0;
    do {
      const available = Math.min(bytes.length - start, this.#splitter.maxBytes);
      bytes.peek(arena.bytes, CHUNK_OFFSET, available);
      const isLast = start + available === bytes.length;
      const length = this.#splitter.nextCut(CHUNK_OFFSET, available, isLast);
      this.#contents.write(kind.prefix, { arena, offset: CHUNK_OFFSET }, length, kind.compressor);
      chunks.push({ start, length, objectId: this.contentId() });
      start += length;
      bytes.advance(length);
    } while (start < bytes.length);
    return this.writeList(chunks, kind.prefix);
  }

  /**
   * The object made of chunks that are stored already: the chunk itself when there is one, else an
   * indirect list, which may become indirect in turn.
   */
  writeList(chunks: readonly IndirectEntry[], prefix: number): string {
    if (chunks.length === 1) return chunks[0].objectId;
    const list = encodeIndirect(chunks);
    const listPrefix = prefix === 0 ? INDIRECT_PREFIX : prefix;
    return `I${this.write(list, { prefix: listPrefix, compressor: this.#listCompressor })}`;
  }

  /** Text form of the id of the content that was written last. */
  contentId(): string {
    return contentIdOfKnownKey(this.#contents.key);
  }
}
