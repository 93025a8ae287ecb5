// The index of a repository in memory, and when it is loaded again. Stock clients load it anew
// after 15 minutes, since maintenance may move contents between packs and deletes the old packs an
// hour later; so do we.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { mapAhead } from '#engine/base/map-ahead.ts';
import { IndexTableBuilder } from '#engine/index/table-builder.ts';
import type { IndexTable } from '#engine/index/table.ts';
import { IndexView } from '#engine/index/view.ts';
import type { IndexBlobs, IndexListing } from './index-blobs.ts';

export interface IndexSetOptions {
  readonly hashBytes: number;
  /** What encryption adds to a content; index version 1 needs to know. */
  readonly contentOverheadBytes: number;
}

interface Refreshing {
  readonly done: Promise<void>;
  /** Of the caller who began it. */
  readonly signal: AbortSignal | undefined;
}

interface Adopted {
  readonly blobIds: readonly string[];
  readonly table: IndexTable;
}

/** kopia repo/content/committed_read_manager.go refreshes this often. */
const FRESH_MS = 15 * 60 * 1000;
const ATTEMPTS_MAX = 10;
const FIRST_PAUSE_MS = 100;
const BLOBS_AHEAD = 8;
/** An entry takes at least this many bytes of an index file: a key of 17 and a value of 16. */
const ENTRY_BYTES_MIN = 33;

export class IndexSet {
  readonly #blobs: IndexBlobs;
  readonly #clock: Clock;
  readonly #options: IndexSetOptions;
  #view: IndexView;
  #loaded = new Set<string>();
  #revision = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #refreshing: Refreshing | undefined;
  /** What was adopted since the listing that a refresh goes by. */
  #adopted: Adopted[] = [];

  constructor(blobs: IndexBlobs, clock: Clock, options: IndexSetOptions) {
    this.#blobs = blobs;
    this.#clock = clock;
    this.#options = options;
    this.#view = new IndexView([]);
  }

  get view(): IndexView {
    return this.#view;
  }

  /** Names of the index blobs that `view` was made of. */
  get blobIds(): ReadonlySet<string> {
    return this.#loaded;
  }

  /** Changes whenever `view` does. */
  get revision(): number {
    return this.#revision;
  }

  get isFresh(): boolean {
    return this.#clock.now() - this.#readAtMs < FRESH_MS;
  }

  /**
   * Loads what was added since the last time; everything when blobs were replaced. Calls that come
   * while one is under way share it.
   * @throws INDEX_BLOB_MISSING, INDEX_DAMAGED
   */
  async refresh(signal?: AbortSignal): Promise<void> {
    for (;;) {
      throwIfAborted(signal);
      const isOwn = this.#refreshing === undefined;
      const refreshing = (this.#refreshing ??= this.#beginRefresh(signal));
      try {
        await refreshing.done;
        return;
      } catch (error) {
        // Whoever began it may have given up; that is no failure of those who waited along.
        if (isOwn || !refreshing.signal?.aborted) throw error;
      }
    }
  }

  /** Adds index files that this process has just committed, without reading them back. */
  adopt(blobIds: readonly string[], files: readonly Uint8Array[]): void {
    const builder = this.#builder(sumOfLengths(files));
    files.forEach((file, index) => builder.addFile(file, { name: blobIds[index] }));
    const table = builder.finish();
    this.#view = this.#view.withTable(table);
    this.#revision += 1;
    this.#loaded = new Set([...this.#loaded, ...blobIds]);
    if (this.#refreshing) this.#adopted.push({ blobIds, table });
  }

  #beginRefresh(signal: AbortSignal | undefined): Refreshing {
    const done = this.#refreshWithRetry(signal).finally(() => {
      this.#refreshing = undefined;
    });
    return { done, signal };
  }

  async #refreshWithRetry(signal?: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal);
      this.#adopted = [];
      try {
        // Listing a legacy index reads blobs, too, which may be replaced meanwhile.
        await this.#load(await this.#blobs.list(signal), signal);
        return;
      } catch (error) {
        const isReplaced = isEngineError(error, 'INDEX_BLOB_MISSING');
        if (!isReplaced || attempt === ATTEMPTS_MAX) throw error;
        await this.#clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
      }
    }
  }

  async #load(listing: IndexListing, signal?: AbortSignal): Promise<void> {
    const wanted = new Set(listing.blobs.map(blob => blob.id));
    const isReplaced = [...this.#loaded].some(blobId => !wanted.has(blobId));
    const isRebuild = isReplaced || this.#view.shouldMerge;
    const missing = isRebuild
      ? listing.blobs
      : listing.blobs.filter(blob => !this.#loaded.has(blob.id));
    const watermarkSeconds = listing.epochs?.watermarkSeconds;
    const base = isRebuild ? [] : this.#view.tables;
    const tables = missing.length > 0 ? [...base, await this.#build(missing, signal)] : base;
    // What was committed here since the listing is not in it and must not be lost again.
    const unseen = this.#adopted.filter(({ blobIds }) => !blobIds.every(id => wanted.has(id)));
    const adopted = unseen.map(({ table }) => table).filter(table => !tables.includes(table));
    this.#view = new IndexView([...tables, ...adopted], watermarkSeconds);
    this.#revision += 1;
    this.#loaded = new Set([...wanted, ...unseen.flatMap(({ blobIds }) => blobIds)]);
    this.#readAtMs = listing.readAtMs;
  }

  async #build(blobs: IndexListing['blobs'], signal?: AbortSignal): Promise<IndexTable> {
    const builder = this.#builder(blobs.reduce((sum, blob) => sum + blob.bytes, 0));
    const files = mapAhead(blobs, { ahead: BLOBS_AHEAD, signal }, async ({ id }, aheadSignal) => ({
      id,
      bytes: await this.#blobs.read(id, aheadSignal),
    }));
    for await (const { id, bytes } of files) {
      const { contentOverheadBytes } = this.#options;
      builder.addFile(bytes, { name: id, contentOverheadBytes });
    }
    return builder.finish();
  }

  #builder(fileBytes: number): IndexTableBuilder {
    const expectedContents = Math.ceil(fileBytes / ENTRY_BYTES_MIN);
    return new IndexTableBuilder({ hashBytes: this.#options.hashBytes, expectedContents });
  }
}

function sumOfLengths(files: readonly Uint8Array[]): number {
  return files.reduce((sum, file) => sum + file.length, 0);
}
