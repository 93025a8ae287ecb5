// A ContentSource in memory, for tests of what reads objects, manifests and snapshots. Contents can
// be spoilt afterwards, which is how damage and loss are tested above the content layer.

import { createHash } from 'node:crypto';
import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import { releaseBuffer } from '#engine/base/release-buffer.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import type {
  ContentEntry,
  ContentRead,
  ContentReadOptions,
  ContentSource,
  ManyReadOptions,
} from '#engine/content/content-source.ts';

interface Stored {
  readonly bytes: Uint8Array;
  readonly isDeleted: boolean;
  /** Reading fails with this code. */
  readonly failure?: ErrorCode;
}

export class MemoryContents implements ContentSource {
  /** Ids in the order in which they were read. */
  readonly reads: string[] = [];
  /** Called before each content is handed out. */
  onRead: (contentId: string) => void | Promise<void> = () => undefined;
  readonly #stored = new Map<string, Stored>();

  /** Stores a content and returns its id, which is made of `prefix` and a hash of the bytes. */
  add(bytes: Uint8Array | string, prefix = ''): string {
    const copy = new Uint8Array(Buffer.from(bytes));
    const contentId = prefix + createHash('sha256').update(copy).digest('hex').slice(0, 32);
    this.#stored.set(contentId, { bytes: copy, isDeleted: false });
    return contentId;
  }

  /** Makes reading fail; CONTENT_NOT_FOUND removes the entry too. */
  spoil(contentId: string, failure: ErrorCode): void {
    const stored = this.#storedAt(contentId);
    if (failure === 'CONTENT_NOT_FOUND') this.#stored.delete(contentId);
    else this.#stored.set(contentId, { ...stored, failure });
  }

  markDeleted(contentId: string): void {
    this.#stored.set(contentId, { ...this.#storedAt(contentId), isDeleted: true });
  }

  find(contentId: string): ContentEntry | undefined {
    const stored = this.#stored.get(contentId);
    return stored && entryOf(contentId, stored);
  }

  *entries(prefix = ''): Iterable<ContentEntry> {
    const ids = [...this.#stored.keys()].filter(contentId => contentId.startsWith(prefix));
    for (const contentId of ids.sort()) yield entryOf(contentId, this.#storedAt(contentId));
  }

  async read(contentId: string, options: ContentReadOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal);
    await this.onRead(contentId);
    throwIfAborted(options.signal);
    this.reads.push(contentId);
    const { bytes, failure } = this.#storedAt(contentId);
    if (failure) throw new EngineError(failure, `content ${contentId} was spoilt by the test`);
    return bytes.slice();
  }

  async *readMany(
    contentIds: Iterable<string> | AsyncIterable<string>,
    options: ManyReadOptions = {},
  ): AsyncIterable<ContentRead> {
    const unique = new Set<string>();
    for await (const contentId of contentIds) unique.add(contentId);
    // Any order is allowed; this one differs from the order of the question nearly always.
    for (const contentId of [...unique].sort()) {
      const bytes = await this.read(contentId, options);
      yield { contentId, bytes };
      if (options.areLent) releaseBuffer(bytes.buffer);
    }
  }

  #storedAt(contentId: string): Stored {
    const stored = this.#stored.get(contentId);
    if (stored) return stored;
    throw new EngineError('CONTENT_NOT_FOUND', `content ${contentId} is not in the test's memory`);
  }
}

function entryOf(contentId: string, { bytes, isDeleted }: Stored): ContentEntry {
  return {
    contentId,
    packId: `p${contentId}`,
    packOffset: 0,
    packedBytes: bytes.length + 28,
    originalBytes: bytes.length,
    compressionId: 0,
    formatVersion: 3,
    timestampSeconds: 1,
    isDeleted,
  };
}
