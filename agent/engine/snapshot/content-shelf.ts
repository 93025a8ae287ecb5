// Contents that will be wanted soon are fetched together, so that neighbours in a pack come with
// one range, and wait here until they are taken. Directories of a tree lie side by side in metadata
// packs; without this a walk would cost a request for each. Every content is handed out once and
// then forgotten.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { ContentEntry, ContentReadOptions } from '#engine/content/content-source.ts';
import { parseObjectId } from '#engine/format/object-id.ts';

const SHELF_BYTES_MAX = 16 << 20;
const SHELF_CONTENTS_MAX = 4096;
/** One level of a tree takes no more than this, or the levels below it would find no room. */
const BATCH_BYTES_MAX = 2 << 20;
const BATCH_CONTENTS_MAX = 256;

/** What it fetches from. */
export interface ShelfSource<Read> {
  readonly find: (contentId: string) => ContentEntry | undefined;
  readonly readMany: (ids: readonly string[], options: ContentReadOptions) => AsyncIterable<Read>;
}

export class ContentShelf<Read extends { readonly contentId: string; readonly bytes: Uint8Array }> {
  readonly #source: ShelfSource<Read>;
  readonly #shelf = new Map<string, Read>();
  /** Contents that are being fetched. */
  readonly #underWay = new Map<string, Promise<void>>();
  #shelfBytes = 0;

  constructor(source: ShelfSource<Read>) {
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

  /** What was fetched of a content, or undefined; the caller's. */
  async take(contentId: string, { signal }: ContentReadOptions = {}): Promise<Read | undefined> {
    await this.#underWay.get(contentId);
    const read = this.#shelf.get(contentId);
    if (read === undefined) return undefined;
    throwIfAborted(signal);
    this.#shelf.delete(contentId);
    this.#shelfBytes -= read.bytes.length;
    return read;
  }

  async #fetch(wanted: readonly string[], options: ContentReadOptions): Promise<void> {
    try {
      for await (const read of this.#source.readMany(wanted, options)) {
        this.#shelf.set(read.contentId, read);
        this.#shelfBytes += read.bytes.length;
      }
      this.#dropOldest();
    } catch (error) {
      throwIfAborted(options.signal);
      // What is at fault says so when it is read by itself; the others are not to suffer for it.
      void error;
    }
  }

  /** What was announced and is not needed after all must not keep others away. */
  #dropOldest(): void {
    for (const [contentId, { bytes }] of this.#shelf) {
      if (this.#shelfBytes <= SHELF_BYTES_MAX && this.#shelf.size <= SHELF_CONTENTS_MAX) return;
      this.#shelf.delete(contentId);
      this.#shelfBytes -= bytes.length;
    }
  }

  #wanted(objectIds: Iterable<string>): string[] {
    const wanted: string[] = [];
    let bytes = 0;
    for (const objectId of objectIds) {
      const { indirection, contentId } = parseObjectId(objectId);
      const isHere = this.#shelf.has(contentId) || this.#underWay.has(contentId);
      if (isHere && wanted.length === 0) return [];
      const entry = indirection > 0 || isHere ? undefined : this.#source.find(contentId);
      if (!entry) continue;
      bytes += entry.originalBytes;
      if (bytes > BATCH_BYTES_MAX || wanted.length >= BATCH_CONTENTS_MAX) break;
      wanted.push(contentId);
    }
    return wanted;
  }
}
