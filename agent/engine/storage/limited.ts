// Bounds what a storage is asked for: bytes per second up and down, and operations at once. Bytes
// are counted by the blob or range, before it is sent or asked for; a whole blob of unknown size is
// paid for after it came. `stage` is left out, because its bytes do not pass here.

import { totalBytes } from '#engine/base/bytes.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { requireRange } from './blob-id.ts';
import { Pace } from './pace.ts';
import { Slots } from './slots.ts';
import type { BlobMetadata, CallOptions, GetOptions, PutOptions, Storage } from './storage.ts';

export interface StorageLimits {
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
  /** At least 1. A listing counts only while it waits for the storage. */
  readonly operationsMax?: number;
}

export function limited(
  inner: Storage,
  limits: StorageLimits,
  clock: Clock = systemClock,
): Storage {
  return new LimitedStorage(inner, limits, clock);
}

class LimitedStorage implements Storage {
  readonly displayName: string;
  readonly #inner: Storage;
  readonly #up: Pace | undefined;
  readonly #down: Pace | undefined;
  readonly #slots: Slots | undefined;

  constructor(inner: Storage, limits: StorageLimits, clock: Clock) {
    const { uploadBytesPerSecond, downloadBytesPerSecond, operationsMax } = limits;
    this.displayName = inner.displayName;
    this.#inner = inner;
    this.#up = paceOf(uploadBytesPerSecond, clock);
    this.#down = paceOf(downloadBytesPerSecond, clock);
    this.#slots = operationsMax === undefined ? undefined : new Slots(operationsMax);
  }

  get canPutIfAbsent(): boolean {
    return this.#inner.canPutIfAbsent;
  }

  async get(id: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { range, signal } = options;
    if (range) {
      requireRange(id, range);
      await this.#down?.take(range.length, signal);
    }
    const bytes = await this.#slotted(signal, () => this.#inner.get(id, options));
    if (!range) await this.#down?.take(bytes.length, signal);
    return bytes;
  }

  async put(id: string, pieces: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    await this.#up?.take(totalBytes(pieces), options.signal);
    await this.#slotted(options.signal, () => this.#inner.put(id, pieces, options));
  }

  async head(id: string, options: CallOptions = {}): Promise<BlobMetadata> {
    return this.#slotted(options.signal, () => this.#inner.head(id, options));
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncIterable<BlobMetadata> {
    const listing = this.#inner.list(prefix, options)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#slotted(options.signal, () => listing.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await listing.return?.();
    }
  }

  async delete(id: string, options: CallOptions = {}): Promise<void> {
    await this.#slotted(options.signal, () => this.#inner.delete(id, options));
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  async #slotted<Result>(
    signal: AbortSignal | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    return this.#slots ? this.#slots.run(signal, work) : work();
  }
}

function paceOf(bytesPerSecond: number | undefined, clock: Clock): Pace | undefined {
  return bytesPerSecond === undefined ? undefined : new Pace({ bytesPerSecond }, clock);
}
