// A ContentSource with a small shelf in front: contents that will be wanted soon are fetched
// together, so that neighbours in a pack come with one range, and wait here until they are read.
// Directories of a tree lie side by side in metadata packs; without this a walk would cost a
// request for each. Every content is handed out once and then forgotten.

import { throwIfAborted } from '#engine/base/abort.ts';
import type {
  ContentEntry,
  ContentRead,
  ContentReadOptions,
  ContentSource,
} from '#engine/content/content-source.ts';
import { parseObjectId } from '#engine/format/object-id.ts';

const SHELF_BYTES_MAX = 16 << 20;
const SHELF_CONTENTS_MAX = 4096;
/** One level of a tree takes no more than this, or the levels below it would find no room. */
const BATCH_BYTES_MAX = 2 << 20;
const BATCH_CONTENTS_MAX = 256;

export class PrefetchedContents implements ContentSource {
  readonly #source: ContentSource;
  readonly #shelf = new Map<string, Uint8Array>();
  /** Contents that are being fetched. */
  readonly #underWay = new Map<string, Promise<void>>();
  #shelfBytes = 0;

  constructor(source: ContentSource) {
    this.#source = source;
  }

  /**
   * Fetches the contents of the first of `objectIds` that there is room for, unless the very first
   * is here or on its way. Objects of several chunks are left out; they are read when their turn
   * comes.
   */
  async prefetch(objectIds: Iterable<string>, options: ContentReadOptions = {}): Promise<void> {
    const wanted = this.#wanted(objectIds);
    if (wanted.length < 2) return;
    const fetched = this.#fetch(wanted, options);
    for (const contentId of wanted) this.#underWay.set(contentId, fetched);
    try {
      await fetched;
    } finally {
      for (const contentId of wanted) this.#underWay.delete(contentId);
    }
  }

  async #fetch(wanted: readonly string[], options: ContentReadOptions): Promise<void> {
    try {
      for await (const { contentId, bytes } of this.#source.readMany(wanted, options)) {
        this.#shelf.set(contentId, bytes);
        this.#shelfBytes += bytes.length;
      }
    } catch (error) {
      throwIfAborted(options.signal);
      // What is at fault says so when it is read by itself; the others are not to suffer for it.
      void error;
    }
  }

  #wanted(objectIds: Iterable<string>): string[] {
    const wanted: string[] = [];
    const bytesMax = Math.min(BATCH_BYTES_MAX, SHELF_BYTES_MAX - this.#shelfBytes);
    const countMax = Math.min(BATCH_CONTENTS_MAX, SHELF_CONTENTS_MAX - this.#shelf.size);
    let bytes = 0;
    for (const objectId of objectIds) {
      const { indirection, contentId } = parseObjectId(objectId);
      const isHere = this.#shelf.has(contentId) || this.#underWay.has(contentId);
      if (isHere && wanted.length === 0) return [];
      const entry = indirection > 0 || isHere ? undefined : this.#source.find(contentId);
      if (!entry) continue;
      bytes += entry.originalBytes;
      if (bytes > bytesMax || wanted.length >= countMax) break;
      wanted.push(contentId);
    }
    return wanted;
  }

  find(contentId: string): ContentEntry | undefined {
    return this.#source.find(contentId);
  }

  entries(prefix?: string): Iterable<ContentEntry> {
    return this.#source.entries(prefix);
  }

  async read(contentId: string, options: ContentReadOptions = {}): Promise<Uint8Array> {
    await this.#underWay.get(contentId);
    const bytes = this.#shelf.get(contentId);
    if (bytes === undefined) return await this.#source.read(contentId, options);
    throwIfAborted(options.signal);
    this.#shelf.delete(contentId);
    this.#shelfBytes -= bytes.length;
    return bytes;
  }

  readMany(
    contentIds: Iterable<string> | AsyncIterable<string>,
    options?: ContentReadOptions,
  ): AsyncIterable<ContentRead> {
    return this.#source.readMany(contentIds, options);
  }
}
