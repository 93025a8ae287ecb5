// Chunks that lie in holes altogether. What a splitter makes of zeros is always the same, and so is
// the content that comes of it: both are found out once for a thread.

import { CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import type { Splitter } from '#engine/chunk/splitter.ts';
import type { Compressor } from '#engine/compress/compressors.ts';
import type { ContentWriter } from '#engine/workers/content-writer.ts';

/** Lengths that are remembered: ends of holes and of files give other ones than the usual. */
const LENGTHS_MAX = 1024;

export class ZeroChunks {
  readonly #splitter: Splitter;
  readonly #ids = new Map<number, string>();
  #cut = 0;

  constructor(splitter: Splitter) {
    this.#splitter = splitter;
  }

  /** Where the splitter cuts zeros that do not end; leaves it at the start of a chunk. */
  get cut(): number {
    if (this.#cut === 0) {
      const { maxBytes } = this.#splitter;
      this.#zero(maxBytes);
      this.#splitter.reset();
      // A splitter whose zeros go on until they have to end is told that they do.
      this.#cut = this.#splitter.nextCut(CHUNK_OFFSET, maxBytes, true);
      this.#splitter.reset();
    }
    return this.#cut;
  }

  /** Stores `length` zeros unless this thread has; returns the id of the content. */
  store(
    contents: ContentWriter,
    length: number,
    { compressor, idText }: { compressor: Compressor | undefined; idText: () => string },
  ): string {
    const known = this.#ids.get(length);
    if (known !== undefined) return known;
    this.#zero(length);
    const { arena } = this.#splitter;
    contents.write(0, { arena, offset: CHUNK_OFFSET }, length, compressor);
    const id = idText();
    if (this.#ids.size < LENGTHS_MAX) this.#ids.set(length, id);
    return id;
  }

  #zero(length: number): void {
    this.#splitter.arena.bytes.fill(0, CHUNK_OFFSET, CHUNK_OFFSET + length);
  }
}
