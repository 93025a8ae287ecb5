// Small stretches that are read again and again, as they came from the cache: manifests, pages of
// directories. They stay sealed, so a copy in memory tells nobody anything. The only file that
// imports lru-cache.

import { LRUCache } from 'lru-cache';
import type { Span } from './coverage.ts';

/** Larger ones cost little to read compared with opening them. */
const RANGE_BYTES_MAX = 64 * 1024;
export const HOT_BYTES_MAX = 4 * 1024 * 1024;
const RANGES_MAX = 4096;

export class HotRanges {
  readonly #ranges = new LRUCache<string, Uint8Array>({
    max: RANGES_MAX,
    maxSize: HOT_BYTES_MAX,
    sizeCalculation: bytes => bytes.length,
  });

  /** A copy, which is the caller's. */
  get(blobId: string, span: Span): Uint8Array | undefined {
    return this.#ranges.get(nameOf(blobId, span))?.slice();
  }

  set(blobId: string, span: Span, bytes: Uint8Array): void {
    if (bytes.length === 0 || bytes.length > RANGE_BYTES_MAX) return;
    this.#ranges.set(nameOf(blobId, span), bytes.slice());
  }

  forget(blobId: string): void {
    const prefix = `${blobId}\0`;
    for (const name of [...this.#ranges.keys()]) {
      if (name.startsWith(prefix)) this.#ranges.delete(name);
    }
  }
}

function nameOf(blobId: string, { from, to }: Span): string {
  return `${blobId}\0${from}\0${to}`;
}
