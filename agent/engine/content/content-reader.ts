// Reading contents: look up, fetch, open, check. Small reads are opened on this thread, large ones
// by the workers. Answers are never taken from an index that is known to be stale: a pack that has
// gone missing makes the index load again once, since maintenance moves contents.

import { arenaOver, ownBuffer } from '#engine/base/arena.ts';
import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { mapAhead } from '#engine/base/map-ahead.ts';
import { releaseBuffer } from '#engine/base/release-buffer.ts';
import { contentIdOfKnownKey, contentKey } from '#engine/format/content-id.ts';
import type { IndexEntry } from '#engine/index/entry.ts';
import type { IndexView } from '#engine/index/view.ts';
import type { Storage } from '#engine/storage/storage.ts';
import type { ContentOpener, SealedContent } from '#engine/workers/content-opener.ts';
import type { ContentTasks } from '#engine/workers/content-tasks.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import type {
  ContentEntry,
  ContentRead,
  ContentReadOptions,
  ContentSource,
  ManyReadOptions,
  SealedRead,
  SealedSource,
} from './content-source.ts';
import { orAnew } from './or-anew.ts';
import { type PackRange, planReads } from './read-plan.ts';

export interface ContentReaderParts {
  readonly storage: Storage;
  readonly opener: ContentOpener;
  readonly runner: TaskRunner<ContentTasks>;
  /** The index as it is known now. */
  readonly index: () => IndexView;
  /** Loads the index anew, unless that was done a moment ago. */
  readonly refresh: (signal?: AbortSignal) => Promise<void>;
}

export interface ContentReaderOptions {
  /** How many packed bytes readMany looks ahead to find neighbours. */
  readonly readWindowBytes: number;
  /** Ranges under way at once; at most this times READ_PLAN_LIMITS.rangeBytesMax is in memory. */
  readonly readsAhead: number;
}

/** How far readMany looks ahead, in contents. */
const WINDOW_CONTENTS_MAX = 4096;
/** Opening fewer bytes than this takes less time than telling a worker about it. */
const INLINE_BYTES_MAX = 256 * 1024;

/** Reads the contents of a range in the form in which they are wanted. */
type ReadRange<Read> = (range: PackRange, signal?: AbortSignal) => Promise<Read[]>;

export class ContentReader implements ContentSource, SealedSource {
  readonly #parts: ContentReaderParts;
  readonly #options: ContentReaderOptions;

  constructor(parts: ContentReaderParts, options: ContentReaderOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** The same contents as they are in the storage, whatever a cache has of them. */
  behindCache(): ContentReader {
    const behind = this.#parts.storage.cache?.behind;
    return behind ? new ContentReader({ ...this.#parts, storage: behind }, this.#options) : this;
  }

  find(contentId: string): ContentEntry | undefined {
    const key = contentKey(contentId);
    const index = this.#parts.index();
    const place = index.find(key, 0, key.length);
    return place < 0 ? undefined : toContentEntry(contentId, index.entryAt(place));
  }

  *entries(prefix?: string): Iterable<ContentEntry> {
    for (const entry of this.#parts.index().entries(prefix?.charCodeAt(0))) {
      yield toContentEntry(contentIdOfKnownKey(entry.key), entry);
    }
  }

  async read(contentId: string, options: ContentReadOptions = {}): Promise<Uint8Array> {
    const { bytes } = await this.#readOne(contentId, options, this.#readOpened);
    return bytes;
  }

  readMany(
    contentIds: Iterable<string> | AsyncIterable<string>,
    options: ManyReadOptions = {},
  ): AsyncIterable<ContentRead> {
    return this.#readAll(contentIds, options, this.#readOpened);
  }

  async readSealed(contentId: string, options: ContentReadOptions = {}): Promise<SealedRead> {
    return await this.#readOne(contentId, options, this.#readAsStored);
  }

  readManySealed(
    contentIds: Iterable<string> | AsyncIterable<string>,
    options: ContentReadOptions = {},
  ): AsyncIterable<SealedRead> {
    return this.#readAll(contentIds, options, this.#readAsStored);
  }

  async forgetDamaged(contentId: string): Promise<boolean> {
    const packId = this.find(contentId)?.packId;
    return packId !== undefined && (await this.#forgetPack(packId));
  }

  async #forgetPack(packId: string): Promise<boolean> {
    return (await this.#parts.storage.cache?.forget(packId)) ?? false;
  }

  async #readOne<Read>(
    contentId: string,
    { signal }: ContentReadOptions,
    readRange: ReadRange<Read>,
  ): Promise<Read> {
    throwIfAborted(signal);
    const read = async (): Promise<Read> => {
      const [range] = planReads([this.#require(contentId)]);
      const [one] = await readRange(range, signal);
      return one;
    };
    return this.#orAfterRefresh(read, signal);
  }

  async *#readAll<Read extends ContentRead>(
    contentIds: Iterable<string> | AsyncIterable<string>,
    { signal, areLent }: ManyReadOptions,
    readRange: ReadRange<Read>,
  ): AsyncIterable<Read> {
    for await (const window of this.#windows(contentIds, signal)) {
      const ranges = planReads(window);
      const options = { ahead: this.#options.readsAhead, signal };
      const reads = mapAhead(ranges, options, (range, aheadSignal) =>
        this.#readRangeOrAfterRefresh(range, readRange, aheadSignal),
      );
      for await (const contents of reads) {
        yield* contents;
        if (areLent) for (const { bytes } of contents) releaseBuffer(bytes.buffer);
      }
    }
  }

  async *#windows(
    contentIds: Iterable<string> | AsyncIterable<string>,
    signal?: AbortSignal,
  ): AsyncIterable<ContentEntry[]> {
    let window = new Map<string, ContentEntry>();
    let windowBytes = 0;
    const { readWindowBytes } = this.#options;
    for await (const contentId of contentIds) {
      if (window.has(contentId)) continue;
      const entry = await this.#orAfterRefresh(() => this.#require(contentId), signal);
      window.set(contentId, entry);
      windowBytes += entry.packedBytes;
      if (windowBytes >= readWindowBytes || window.size >= WINDOW_CONTENTS_MAX) {
        yield [...window.values()];
        window = new Map();
        windowBytes = 0;
      }
    }
    if (window.size > 0) yield [...window.values()];
  }

  #require(contentId: string): ContentEntry {
    const entry = this.find(contentId);
    if (entry) return entry;
    throw new EngineError(
      'CONTENT_NOT_FOUND',
      `content ${contentId} is in no index of the repository; run "stevedore repo ` +
        'check", and restore from another snapshot if it stays missing',
      { details: { contentId } },
    );
  }

  async #readRangeOrAfterRefresh<Read>(
    range: PackRange,
    readRange: ReadRange<Read>,
    signal?: AbortSignal,
  ): Promise<Read[]> {
    let current = [range];
    const read = async (): Promise<Read[]> => {
      const reads: Read[] = [];
      for (const each of current) reads.push(...(await readRange(each, signal)));
      return reads;
    };
    return this.#orAfterRefresh(read, signal, () => {
      current = planReads(range.entries.map(entry => this.#require(entry.contentId)));
    });
  }

  /**
   * Runs `work`; when something is missing, loads the index and, if it is new, runs it once more.
   */
  async #orAfterRefresh<Result>(
    work: () => Result | Promise<Result>,
    signal: AbortSignal | undefined,
    replan: () => void = () => undefined,
  ): Promise<Result> {
    const before = this.#parts.index();
    try {
      return await work();
    } catch (error) {
      if (!isEngineError(error, 'CONTENT_NOT_FOUND', 'PACK_MISSING')) throw error;
      await this.#parts.refresh(signal);
      if (this.#parts.index() === before) throw error;
      replan();
      return work();
    }
  }

  readonly #readAsStored: ReadRange<SealedRead> = async (range, signal) => {
    const bytes = await this.#fetch(range, signal);
    return range.entries.map(entry => {
      const { offset, length, ...sealed } = toSealed(entry, range.offset);
      // One content alone, as large ones are, is not copied.
      const own = ownBuffer(bytes.subarray(offset, offset + length));
      return { contentId: entry.contentId, bytes: own, ...sealed };
    });
  };

  readonly #readOpened: ReadRange<ContentRead> = (range, signal) =>
    orAnew(
      () => this.#forgetPack(range.packId),
      () => this.#openRange(range, signal),
    );

  async #openRange(range: PackRange, signal?: AbortSignal): Promise<ContentRead[]> {
    const bytes = ownBuffer(await this.#fetch(range, signal));
    const contents = range.entries.map(entry => toSealed(entry, range.offset));
    const plaintexts =
      bytes.length <= INLINE_BYTES_MAX
        ? this.#openInline(bytes, contents)
        : await this.#openInWorker(bytes, contents);
    return range.entries.map((entry, index) => ({
      contentId: entry.contentId,
      bytes: plaintexts[index],
    }));
  }

  #openInline(bytes: Uint8Array, contents: readonly SealedContent[]): Uint8Array[] {
    const arena = arenaOver(bytes);
    return contents.map(content => this.#parts.opener.open(arena, content));
  }

  async #openInWorker(
    bytes: Uint8Array<ArrayBuffer>,
    contents: readonly SealedContent[],
  ): Promise<readonly Uint8Array[]> {
    const input = { bytes, contents };
    const output = await this.#parts.runner.run('openContents', input, {
      transfer: [bytes.buffer],
    });
    return output.plaintexts;
  }

  async #fetch(range: PackRange, signal?: AbortSignal): Promise<Uint8Array> {
    const { packId, offset, length } = range;
    try {
      return await this.#parts.storage.get(packId, { range: { offset, length }, signal });
    } catch (error) {
      throw packError(range, error);
    }
  }
}

function packError({ packId, entries }: PackRange, error: unknown): unknown {
  const details = { packId, contentIds: entries.slice(0, 10).map(entry => entry.contentId) };
  if (isEngineError(error, 'STORAGE_BLOB_NOT_FOUND')) {
    const message =
      `pack ${packId} is missing from the repository; ${entries.length} contents that ` +
      'were asked for lie in it; run "stevedore repo check" to see what else is missing';
    return new EngineError('PACK_MISSING', message, { cause: error, details });
  }
  if (isEngineError(error, 'STORAGE_RANGE_INVALID', 'STORAGE_BLOB_TRUNCATED')) {
    const message =
      `pack ${packId} is shorter than the index says; run "stevedore repo check" to see ` +
      'what is damaged';
    return new EngineError('PACK_DAMAGED', message, { cause: error, details });
  }
  return error;
}

function toSealed(entry: ContentEntry, rangeOffset: number): SealedContent {
  return {
    offset: entry.packOffset - rangeOffset,
    length: entry.packedBytes,
    key: contentKey(entry.contentId),
    originalBytes: entry.originalBytes,
    compressionId: entry.compressionId,
  };
}

function toContentEntry(contentId: string, entry: IndexEntry): ContentEntry {
  return {
    contentId,
    packId: entry.packId,
    packOffset: entry.packOffset,
    packedBytes: entry.packedBytes,
    originalBytes: entry.originalBytes,
    compressionId: entry.compressionId,
    formatVersion: entry.formatVersion,
    timestampSeconds: entry.timestampSeconds,
    isDeleted: entry.isDeleted,
  };
}
