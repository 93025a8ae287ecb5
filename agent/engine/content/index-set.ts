// The index of a repository in memory, and when it is loaded again. Stock clients load it anew
// after 15 minutes, since maintenance may move contents between packs and deletes the old packs an
// hour later; so do we.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { mapAhead } from '#engine/base/map-ahead.ts';
import { mergeTables } from '#engine/index/merge-tables.ts';
import { IndexTableBuilder } from '#engine/index/table-builder.ts';
import type { IndexTable } from '#engine/index/table.ts';
import { IndexView } from '#engine/index/view.ts';
import type { BlobMetadata } from '#engine/storage/storage.ts';
import type { IndexTasks } from '#engine/workers/index-tasks.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import type { IndexBlobs, IndexListing } from './index-blobs.ts';
import { loadHere, loadInWorker } from './index-loading.ts';

export interface IndexSetParts {
  readonly blobs: IndexBlobs;
  readonly clock: Clock;
  readonly runner: TaskRunner<IndexTasks>;
}

export interface IndexSetOptions {
  readonly hashBytes: number;
  /** What encryption adds to a content; index version 1 needs to know. */
  readonly contentOverheadBytes: number;
  /** Index blobs of more bytes together are loaded by a worker thread; 8 MiB by default. */
  readonly inlineBytesMax?: number;
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
/** Between two refreshes on account of something that is missing. */
const MISSING_REFRESH_MS = 5_000;
const ATTEMPTS_MAX = 10;
const FIRST_PAUSE_MS = 100;
const BLOBS_AHEAD = 8;
/** Sealed blobs that wait to be loaded; a single one may be longer. */
const AHEAD_BYTES_MAX = 64 * 1024 * 1024;
const INLINE_BYTES_MAX = 8 * 1024 * 1024;
/** Flushes during one refresh whose tables are kept apart; each takes 256 KiB at least. */
const ADOPTED_MAX = 8;
/** An entry takes at least this many bytes of an index file: a key of 17 and a value of 16. */
const ENTRY_BYTES_MIN = 33;

export class IndexSet {
  readonly #parts: IndexSetParts;
  readonly #options: IndexSetOptions;
  #view: IndexView;
  #loaded = new Set<string>();
  #revision = 0;
  /** When the listing began that `view` was made by, by the time of day and the monotonic clock. */
  #readAt = { wallMs: Number.NEGATIVE_INFINITY, monotonicMs: Number.NEGATIVE_INFINITY };
  #missedAtMs = Number.NEGATIVE_INFINITY;
  #refreshing: Refreshing | undefined;
  /** What was adopted since the listing that a refresh goes by. */
  #adopted: Adopted[] = [];

  constructor(parts: IndexSetParts, options: IndexSetOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#view = new IndexView([]);
  }

  get view(): IndexView {
    return this.#view;
  }

  /** Length of the hash that names contents. */
  get hashBytes(): number {
    return this.#options.hashBytes;
  }

  /** Names of the index blobs that `view` was made of. */
  get blobIds(): ReadonlySet<string> {
    return this.#loaded;
  }

  /** Changes whenever `view` does. */
  get revision(): number {
    return this.#revision;
  }

  /** By both clocks: one may step back, and the other stands still while the machine sleeps. */
  get isFresh(): boolean {
    const { clock } = this.#parts;
    const { wallMs, monotonicMs } = this.#readAt;
    return Math.max(clock.now() - wallMs, clock.monotonic() - monotonicMs) < FRESH_MS;
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

  /**
   * The same because something was missed, but not again and again: a repository that lacks much
   * would be listed for each piece of it.
   */
  async refreshForMissing(signal?: AbortSignal): Promise<void> {
    const nowMs = this.#parts.clock.monotonic();
    if (nowMs - this.#missedAtMs < MISSING_REFRESH_MS) return;
    await this.refresh(signal);
    this.#missedAtMs = this.#parts.clock.monotonic();
  }

  /** Adds index files that this process has just committed, without reading them back. */
  adopt(blobIds: readonly string[], files: readonly Uint8Array[]): void {
    const builder = new IndexTableBuilder({
      hashBytes: this.#options.hashBytes,
      expectedContents: expectedContents(sumOfLengths(files)),
    });
    files.forEach((file, index) => builder.addFile(file, { name: blobIds[index] }));
    const table = builder.finish();
    this.#view = this.#view.withTable(table);
    this.#revision += 1;
    this.#loaded = new Set([...this.#loaded, ...blobIds]);
    if (this.#refreshing) this.#remember({ blobIds, table });
  }

  /** There may be any number of flushes while a refresh waits for its storage. */
  #remember(flush: Adopted): void {
    const adopted = [...this.#adopted, flush];
    this.#adopted = adopted.length > ADOPTED_MAX ? [mergeAdopted(adopted)] : adopted;
  }

  #beginRefresh(signal: AbortSignal | undefined): Refreshing {
    const done = this.#refreshWithRetry(signal).finally(() => {
      this.#refreshing = undefined;
      this.#adopted = [];
    });
    return { done, signal };
  }

  async #refreshWithRetry(signal?: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal);
      this.#adopted = [];
      try {
        const { clock, blobs } = this.#parts;
        const readAt = { wallMs: clock.now(), monotonicMs: clock.monotonic() };
        // Listing a legacy index reads blobs, too, which may be replaced meanwhile.
        await this.#load(await blobs.list(signal), signal);
        this.#readAt = readAt;
        return;
      } catch (error) {
        const isReplaced = isEngineError(error, 'INDEX_BLOB_MISSING');
        if (!isReplaced || attempt === ATTEMPTS_MAX) throw error;
        await this.#parts.clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
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
    const adopted = unseen.filter(({ table }) => !tables.includes(table));
    // One table of them all: with eight from before and what was loaded there are ten at most.
    const added = adopted.length > 0 ? [mergeAdopted(adopted).table] : [];
    this.#view = new IndexView([...tables, ...added], watermarkSeconds);
    this.#revision += 1;
    this.#loaded = new Set([...wanted, ...unseen.flatMap(({ blobIds }) => blobIds)]);
  }

  async #build(blobs: IndexListing['blobs'], signal?: AbortSignal): Promise<IndexTable> {
    const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0);
    const options = { ...this.#options, expectedContents: expectedContents(bytes) };
    const isLarge = bytes > (this.#options.inlineBytesMax ?? INLINE_BYTES_MAX);
    const loading = isLarge
      ? await loadInWorker(this.#parts.runner, options)
      : loadHere(this.#parts.blobs, options);
    try {
      for await (const blob of this.#fetch(blobs, signal)) {
        await this.#parts.blobs.opened(blob, sealed => loading.add(blob.id, sealed), signal);
      }
      return await loading.finish();
    } catch (error) {
      // Where the worker is gone there is nothing to drop; the first failure is the one to tell.
      await loading.drop().catch(() => undefined);
      throw error;
    }
  }

  #fetch(
    blobs: IndexListing['blobs'],
    signal: AbortSignal | undefined,
  ): AsyncIterable<{ id: string; sealed: Uint8Array }> {
    const limits = { ahead: BLOBS_AHEAD, bytesMax: AHEAD_BYTES_MAX, signal };
    const bytesOf = (blob: BlobMetadata): number => blob.bytes;
    return mapAhead(blobs, { ...limits, bytesOf }, async ({ id }, aheadSignal) => {
      return { id, sealed: await this.#parts.blobs.get(id, aheadSignal) };
    });
  }
}

function mergeAdopted(adopted: readonly Adopted[]): Adopted {
  const blobIds = adopted.flatMap(({ blobIds }) => blobIds);
  return { blobIds, table: mergeTables(adopted.map(({ table }) => table)) };
}

function expectedContents(fileBytes: number): number {
  return Math.ceil(fileBytes / ENTRY_BYTES_MIN);
}

function sumOfLengths(files: readonly Uint8Array[]): number {
  return files.reduce((sum, file) => sum + file.length, 0);
}
