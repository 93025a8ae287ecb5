// Checks what the index promises: that every pack it names is there and long enough, and, when
// asked, that every content can be read and hashes to its id. Opening the repository has already
// read and checked every index blob.

import { throwIfAborted } from '#engine/base/abort.ts';
import { type EngineError, isEngineError } from '#engine/base/errors.ts';
import { PACK_PREFIXES } from '#engine/format/blob-names.ts';
import type { Storage } from '#engine/storage/storage.ts';
import type { ContentEntry, ContentSource } from './content-source.ts';

export interface CheckParts {
  readonly storage: Storage;
  readonly contents: ContentSource;
  /** How many index blobs were read. */
  readonly indexBlobCount: number;
}

export interface CheckRequest {
  /** Read, open and hash every content. */
  readonly readData: boolean;
}

export interface CheckProgress {
  readonly phase: 'check';
  readonly contents: number;
  readonly bytes: number;
  readonly bytesTotal: number;
}

export interface CheckOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CheckProgress) => void;
}

export interface CheckProblem {
  readonly contentId?: string;
  readonly packId?: string;
  readonly code: string;
  readonly message: string;
}

export interface CheckOutcome {
  readonly indexBlobs: number;
  readonly contents: number;
  /** Deleted contents that maintenance has not dropped yet. */
  readonly contentsDeleted: number;
  readonly packs: number;
  readonly packBytes: number;
  /** Packs that no content lies in; maintenance removes them when they are old enough. */
  readonly packsUnreferenced: number;
  readonly contentsRead: number;
  readonly bytesRead: number;
  /** The first 1,000. */
  readonly problems: readonly CheckProblem[];
  readonly problemCount: number;
}

const PROBLEMS_LISTED_MAX = 1000;
const BATCH_CONTENTS = 1024;

/**
 * Looks at everything and reports all that is wrong; throws only when it cannot go on.
 * @throws ABORTED, and failures of the storage
 */
export async function checkContents(
  parts: CheckParts,
  { readData }: CheckRequest,
  options: CheckOptions = {},
): Promise<CheckOutcome> {
  throwIfAborted(options.signal);
  const check = new Check(parts, options);
  await check.packs();
  if (readData) await check.data();
  return check.outcome();
}

class Check {
  readonly #parts: CheckParts;
  readonly #options: CheckOptions;
  readonly #problems: CheckProblem[] = [];
  #problemCount = 0;
  #packs = 0;
  #packBytes = 0;
  #packsUnreferenced = 0;
  #contents = 0;
  #contentsDeleted = 0;
  #contentsRead = 0;
  #bytesRead = 0;
  #bytesTotal = 0;

  constructor(parts: CheckParts, options: CheckOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async packs(): Promise<void> {
    const ends = this.#packEnds();
    const { storage } = this.#parts;
    for (const prefix of PACK_PREFIXES) {
      for await (const blob of storage.list(prefix, this.#options)) {
        this.#packs += 1;
        this.#packBytes += blob.bytes;
        const end = ends.get(blob.id);
        ends.delete(blob.id);
        if (end === undefined) this.#packsUnreferenced += 1;
        else if (end > blob.bytes) this.#addShortPack(blob.id, blob.bytes, end);
      }
    }
    for (const packId of ends.keys()) {
      const message = `pack ${packId} is missing; what lies in it cannot be read`;
      this.#add({ packId, code: 'PACK_MISSING', message });
    }
  }

  async data(): Promise<void> {
    let batch: string[] = [];
    for (const entry of this.#parts.contents.entries()) {
      if (entry.isDeleted) continue;
      batch.push(entry.contentId);
      if (batch.length < BATCH_CONTENTS) continue;
      await this.#readBatch(batch);
      batch = [];
    }
    if (batch.length > 0) await this.#readBatch(batch);
  }

  outcome(): CheckOutcome {
    return {
      indexBlobs: this.#parts.indexBlobCount,
      contents: this.#contents,
      contentsDeleted: this.#contentsDeleted,
      packs: this.#packs,
      packBytes: this.#packBytes,
      packsUnreferenced: this.#packsUnreferenced,
      contentsRead: this.#contentsRead,
      bytesRead: this.#bytesRead,
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  /** How long each pack must be at least, by what the index says lies in it. */
  #packEnds(): Map<string, number> {
    const ends = new Map<string, number>();
    for (const entry of this.#parts.contents.entries()) {
      if (entry.isDeleted) this.#contentsDeleted += 1;
      else this.#contents += 1;
      if (!entry.isDeleted) this.#bytesTotal += entry.originalBytes;
      ends.set(entry.packId, Math.max(ends.get(entry.packId) ?? 0, endOf(entry)));
    }
    return ends;
  }

  async #readBatch(contentIds: readonly string[]): Promise<void> {
    const left = new Set(contentIds);
    try {
      const options = { ...this.#options, areLent: true };
      for await (const { contentId, bytes } of this.#parts.contents.readMany(left, options)) {
        left.delete(contentId);
        this.#count(bytes.length);
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      // One bad content spoils the range it was fetched with; the others are read by themselves.
      for (const contentId of left) await this.#readOne(contentId);
    }
  }

  async #readOne(contentId: string): Promise<void> {
    try {
      this.#count((await this.#parts.contents.read(contentId, this.#options)).length);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#add({ contentId, code: error.code, message: error.message });
    }
  }

  #count(bytes: number): void {
    this.#contentsRead += 1;
    this.#bytesRead += bytes;
    this.#options.onProgress?.({
      phase: 'check',
      contents: this.#contentsRead,
      bytes: this.#bytesRead,
      bytesTotal: this.#bytesTotal,
    });
  }

  #addShortPack(packId: string, bytes: number, end: number): void {
    const message = `pack ${packId} has ${bytes} bytes where the index says at least ${end}`;
    this.#add({ packId, code: 'PACK_DAMAGED', message });
  }

  #add(problem: CheckProblem): void {
    this.#problemCount += 1;
    if (this.#problems.length < PROBLEMS_LISTED_MAX) this.#problems.push(problem);
  }
}

function endOf({ packOffset, packedBytes }: ContentEntry): number {
  return packOffset + packedBytes;
}

function isDamage(error: unknown): error is EngineError {
  return isEngineError(
    error,
    'CONTENT_DAMAGED',
    'CONTENT_NOT_FOUND',
    'PACK_MISSING',
    'PACK_DAMAGED',
  );
}
