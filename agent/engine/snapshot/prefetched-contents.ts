// A ContentSource with a shelf in front (content-shelf.ts).

import type {
  ContentEntry,
  ContentRead,
  ContentReadOptions,
  ContentSource,
} from '#engine/content/content-source.ts';
import { ContentShelf } from './content-shelf.ts';

export class PrefetchedContents implements ContentSource {
  readonly #source: ContentSource;
  readonly #shelf: ContentShelf<ContentRead>;

  constructor(source: ContentSource) {
    this.#source = source;
    this.#shelf = new ContentShelf<ContentRead>({
      find: contentId => source.find(contentId),
      readMany: (contentIds, options) => source.readMany(contentIds, options),
    });
  }

  /** See ContentShelf.prefetch. */
  async prefetch(objectIds: Iterable<string>, options?: ContentReadOptions): Promise<void> {
    await this.#shelf.prefetch(objectIds, options);
  }

  find(contentId: string): ContentEntry | undefined {
    return this.#source.find(contentId);
  }

  entries(prefix?: string): Iterable<ContentEntry> {
    return this.#source.entries(prefix);
  }

  async read(contentId: string, options: ContentReadOptions = {}): Promise<Uint8Array> {
    const taken = await this.#shelf.take(contentId, options);
    return taken?.bytes ?? (await this.#source.read(contentId, options));
  }

  readMany(
    contentIds: Iterable<string> | AsyncIterable<string>,
    options?: ContentReadOptions,
  ): AsyncIterable<ContentRead> {
    return this.#source.readMany(contentIds, options);
  }
}
