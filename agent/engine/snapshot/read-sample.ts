// Reads the contents of a share of the objects that are offered, many at a time, and reports those
// that cannot be had. Which objects are chosen depends on their ids alone, so a second run reads
// the same ones and a run with a greater share reads those and more.

import type { ContentSource } from '#engine/content/content-source.ts';
import type { ObjectChunk, ObjectReader } from '#engine/object/object-reader.ts';
import { chunkBytes } from '#engine/object/chunk-reading.ts';
import type { EngineError } from '#engine/base/errors.ts';
import { isDamage, readEach } from './damage.ts';

const WINDOW_CHUNKS = 4096;

export interface ReadSampleOptions<Place> {
  readonly percent: number;
  readonly signal: AbortSignal | undefined;
  readonly onFailure: (place: Place, error: EngineError) => void;
}

interface Wanted<Place> {
  readonly place: Place;
  readonly objectId: string;
  readonly chunk: ObjectChunk;
}

export class ReadSample<Place> {
  /** Plain bytes of contents that have been read. */
  bytesRead = 0;
  readonly #contents: ContentSource;
  readonly #options: ReadSampleOptions<Place>;
  #window = new Map<string, Wanted<Place>>();

  constructor(contents: ContentSource, options: ReadSampleOptions<Place>) {
    this.#contents = contents;
    this.#options = options;
  }

  /** Takes an object when it is one of the share; it is read now or later. */
  async offer(reader: ObjectReader, place: Place): Promise<void> {
    const { objectId } = reader;
    if (!isChosen(objectId, this.#options.percent)) return;
    for await (const chunk of reader.chunks({ signal: this.#options.signal })) {
      // Several files may need one content; that it can be read is told of the first.
      if (!this.#window.has(chunk.contentId)) {
        this.#window.set(chunk.contentId, { place, objectId, chunk });
      }
      if (this.#window.size >= WINDOW_CHUNKS) await this.flush();
    }
  }

  /** Reads what was taken. */
  async flush(): Promise<void> {
    const window = this.#window;
    this.#window = new Map();
    const { onFailure, signal } = this.#options;
    const receiver = {
      content: (contentId: string, stored: Uint8Array) => {
        const wanted = window.get(contentId);
        if (wanted) this.#check(wanted, stored);
      },
      failure: (contentId: string, error: EngineError) => {
        const wanted = window.get(contentId);
        if (wanted) onFailure(wanted.place, error);
      },
    };
    await readEach(this.#contents, window.keys(), receiver, { signal });
  }

  #check({ place, objectId, chunk }: Wanted<Place>, stored: Uint8Array): void {
    this.bytesRead += chunk.bytes;
    // A plain chunk's length has been compared with the index; that of a compressed one only now.
    if (!chunk.isCompressed) return;
    try {
      chunkBytes(objectId, chunk, stored);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#options.onFailure(place, error);
    }
  }
}

/** The hash in the id is as good as a random number. */
function isChosen(objectId: string, percent: number): boolean {
  const value = Number.parseInt(objectId.slice(-8), 16) / 2 ** 32;
  return value * 100 < percent;
}
