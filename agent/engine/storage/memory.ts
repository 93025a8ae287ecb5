// Blobs in memory: for tests, and the reference of what the contract means.

import { throwIfAborted } from '#engine/base/abort.ts';
import { totalBytes } from '#engine/base/bytes.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import {
  closedError,
  existsError,
  notFoundError,
  requireBlobId,
  requireBlobPrefix,
  requireRange,
  requireRangeWithin,
} from './blob-id.ts';
import type {
  BlobMetadata,
  CallOptions,
  GetOptions,
  PutOptions,
  Retention,
  Storage,
} from './storage.ts';

interface MemoryBlob {
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
  readonly retention?: Retention;
}

export class MemoryStorage implements Storage {
  readonly displayName = 'memory';
  readonly canPutIfAbsent = true;
  readonly #blobs = new Map<string, MemoryBlob>();
  readonly #clock: Pick<Clock, 'now'>;
  #isClosed = false;

  constructor(clock: Pick<Clock, 'now'> = systemClock) {
    this.#clock = clock;
  }

  async get(id: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { range } = options;
    if (range) requireRange(id, range);
    const { bytes } = this.#find(id, options.signal);
    if (!range) return bytes.slice();
    requireRangeWithin(id, range, bytes.length);
    return bytes.slice(range.offset, range.offset + range.length);
  }

  async put(id: string, pieces: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    this.#enter(id, options.signal);
    if (options.ifAbsent && this.#blobs.has(id)) throw existsError(id, this.displayName);
    const bytes = new Uint8Array(totalBytes(pieces));
    let offset = 0;
    for (const piece of pieces) {
      bytes.set(piece, offset);
      offset += piece.length;
    }
    const { retention } = options;
    this.#blobs.set(id, { bytes, modifiedMs: this.#clock.now(), retention });
  }

  async head(id: string, options: CallOptions = {}): Promise<BlobMetadata> {
    const { bytes, modifiedMs } = this.#find(id, options.signal);
    return { id, bytes: bytes.length, modifiedMs };
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncIterable<BlobMetadata> {
    requireBlobPrefix(prefix);
    // A copy of the names: what is put or deleted meanwhile may or may not be seen, as elsewhere.
    for (const id of [...this.#blobs.keys()]) {
      throwIfAborted(options.signal);
      if (this.#isClosed) throw closedError(this.displayName);
      const blob = this.#blobs.get(id);
      if (!blob || !id.startsWith(prefix)) continue;
      yield { id, bytes: blob.bytes.length, modifiedMs: blob.modifiedMs };
    }
  }

  async delete(id: string, options: CallOptions = {}): Promise<void> {
    this.#enter(id, options.signal);
    this.#blobs.delete(id);
  }

  /** What a put was told to lock; for tests of the wrappers. */
  retentionOf(id: string): Retention | undefined {
    return this.#blobs.get(id)?.retention;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #enter(id: string, signal: AbortSignal | undefined): void {
    requireBlobId(id);
    throwIfAborted(signal);
    if (this.#isClosed) throw closedError(this.displayName);
  }

  #find(id: string, signal: AbortSignal | undefined): MemoryBlob {
    this.#enter(id, signal);
    const blob = this.#blobs.get(id);
    if (!blob) throw notFoundError(id, this.displayName);
    return blob;
  }
}
