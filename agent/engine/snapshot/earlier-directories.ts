// Directory objects of earlier snapshots for a backup that compares with them. Those of one content
// are handed on as they lie in their packs (upload/previous-object.ts); large ones are read here.

import type { ContentSource, SealedRead, SealedSource } from '#engine/content/content-source.ts';
import { parseObjectId } from '#engine/format/object-id.ts';
import { ContentShelf } from './content-shelf.ts';
import { orNone, readDirectoryObject } from './earlier-objects.ts';
import { TreeReader } from './tree.ts';
import type { PreviousObject } from './upload/upload-tasks.ts';

export class EarlierDirectories {
  readonly #source: SealedSource;
  readonly #shelf: ContentShelf<SealedRead>;
  readonly #large: TreeReader;
  readonly #signal: AbortSignal;

  constructor(source: ContentSource & SealedSource, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
    this.#large = new TreeReader(source);
    this.#shelf = new ContentShelf<SealedRead>({
      find: contentId => source.find(contentId),
      readMany: (contentIds, options) => source.readManySealed(contentIds, options),
    });
  }

  /** Says which will be read next, so that they can be fetched together. */
  async announce(objectIds: Iterable<string>): Promise<void> {
    await this.#shelf.prefetch(objectIds, { signal: this.#signal });
  }

  /** Whether the index knows of it, and not as of something that is on its way out. */
  has(objectId: string): boolean {
    const { indirection, contentId } = parseObjectId(objectId);
    return indirection === 0 && this.#source.find(contentId)?.isDeleted === false;
  }

  /** Undefined when it cannot be had. Whether it is sound is seen when it is opened. */
  async read(objectId: string): Promise<PreviousObject | undefined> {
    const sealed = await orNone(() => this.#readSealed(objectId));
    if (sealed === undefined) return undefined;
    if (sealed === 'large') return await readDirectoryObject(this.#large, objectId, this.#signal);
    const { bytes, key, originalBytes, compressionId } = sealed;
    return { objectId, bytes, sealed: { key, originalBytes, compressionId } };
  }

  /** This backup has done without it; the next one is not to, where only a cache has it damaged. */
  async forgetDamaged(objectId: string): Promise<void> {
    await this.#source.forgetDamaged(parseObjectId(objectId).contentId);
  }

  async #readSealed(objectId: string): Promise<SealedRead | 'large'> {
    const { indirection, isCompressed, contentId } = parseObjectId(objectId);
    if (indirection > 0 || isCompressed) return 'large';
    const options = { signal: this.#signal };
    const taken = await this.#shelf.take(contentId, options);
    return taken ?? (await this.#source.readSealed(contentId, options));
  }
}
